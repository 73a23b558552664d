// Which bytes of a file a browser asks for (RFC 9110, section 14).

export interface ByteRange {
  readonly from: number
  /** Behind the last one. */
  readonly to: number
}

/**
 * Undefined for the whole file: where nothing is said, or what may be ignored, such as several ranges. `none`: what is asked
 * for is not in the file.
 */
export function rangeIn(header: string | undefined, sizeBytes: number): ByteRange | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first === '') {
    const count = Math.min(Number(last), sizeBytes)
    return count === 0 ? 'none' : { from: sizeBytes - count, to: sizeBytes }
  }
  const from = Number(first)
  const to = last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes)
  if (last !== '' && Number(last) < from) return undefined
  return from >= sizeBytes ? 'none' : { from, to }
}
