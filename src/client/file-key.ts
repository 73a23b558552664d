/** A file of a group as one text, for maps. Neither group names nor file names have slashes. */
export function keyOf(file: { readonly group: string; readonly name: string }): string {
  return `${file.group}/${file.name}`
}
