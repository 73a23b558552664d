// Sizes as people read them. Pure.

const units = ['KiB', 'MiB', 'GiB', 'TiB'] as const

/** `512 B`, `2.9 MiB`. */
export function formatSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  let rest = bytes
  let unit = 'B'
  for (const next of units) {
    // What would be rounded to 1024 is 1 of the next.
    if (rest < 1023.95) break
    rest /= 1024
    unit = next
  }
  return `${rest.toFixed(1)} ${unit}`
}
