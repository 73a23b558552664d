/** A map key for a file of a group. Neither group names nor file names contain slashes. */
export function keyOf(file: { readonly group: string; readonly name: string }): string {
  return `${file.group}/${file.name}`
}
