// Formats moments as people read them: `2026-05-12 09:30`, in local time.

/** `ms`: since 1970. The same width for each, so that they line up and sort. */
export function formatDay(ms: number): string {
  const at = new Date(ms)
  const two = (number: number): string => String(number).padStart(2, '0')
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-')
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}`
}
