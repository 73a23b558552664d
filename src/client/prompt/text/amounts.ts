// Times and shares of a whole, as people read them. Pure.

/** `45 s`, `2 min 10 s`, `3 h 5 min`, `2 d 4 h`; undefined for what would take longer than a year. */
export function formatTime(seconds: number): string | undefined {
  const whole = Math.ceil(seconds)
  if (!(whole < 365 * 86_400)) return undefined
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return inTwo(whole, 60, 'min', 1, 's')
  if (whole < 86_400) return inTwo(whole, 3600, 'h', 60, 'min')
  return inTwo(whole, 86_400, 'd', 3600, 'h')
}

function inTwo(seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % big) / small)
  return `${Math.floor(seconds / big)} ${bigUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`
}

/** Rounded down, so that only what is whole has 100. */
export function percentOf(part: number, whole: number): number {
  return whole <= 0 ? 100 : Math.floor((100 * Math.min(part, whole)) / whole)
}

/** Seconds until `bytes` have come at this rate; undefined when nothing comes. */
export function secondsFor(bytes: number, bytesPerSecond: number): number | undefined {
  return bytesPerSecond < 1 ? undefined : bytes / bytesPerSecond
}

/** A bar of this many columns. */
export function bar(part: number, whole: number, width: number): string {
  const full = whole <= 0 ? width : Math.floor((width * Math.min(part, whole)) / whole)
  return '█'.repeat(full) + '░'.repeat(width - full)
}
