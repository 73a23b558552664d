/**
 * A map key for a file of a group, or for a download of a part of a folder. Neither group names nor file names contain
 * slashes.
 */
export function keyOf(file: {
  readonly group: string
  readonly name: string
  readonly within?: string | undefined
}): string {
  return `${file.group}/${downloadName(file)}`
}

/** The name of a download: that of its entry, for a part of a folder followed by "/" and the part. */
export function downloadName({
  name,
  within,
}: {
  readonly name: string
  readonly within?: string | undefined
}): string {
  return within === undefined ? name : `${name}/${within}`
}
