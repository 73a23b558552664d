// A number with its noun, as people say it: "1 file", "2 files fail". Pure.

/** `plural`: where that is more than an `s` at the end, as with a verb behind the noun. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`
}
