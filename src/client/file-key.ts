// Names of what groups have, and of downloads.

/** `name`: of an entry, or of a download. */
export interface Named {
  readonly group: string
  readonly name: string
}

/** What is fetched: an entry, or of a folder the part with this path or pattern. */
export interface Fetched extends Named {
  readonly within?: string | undefined
}

/** A map key for a file of a group, or for a download. Neither group names nor file names contain slashes. */
export function keyOf(file: Fetched): string {
  return `${file.group}/${downloadName(file)}`
}

/** The name of a download: that of its entry, for a part of a folder followed by "/" and the part. */
export function downloadName({ name, within }: Omit<Fetched, 'group'>): string {
  return within === undefined ? name : `${name}/${within}`
}

/** Under which name a download of it is found. */
export function named(file: Fetched): Named {
  return { group: file.group, name: downloadName(file) }
}
