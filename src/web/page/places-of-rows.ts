// Which place in the document each row of a long table has: a row that comes into sight takes the place of one that went, so
// that scrolling changes texts instead of making rows. Pure.

/**
 * `keys`: of the rows that are drawn now, in their order. `before`: the places of those that were drawn last. A row keeps its
 * place while it is drawn, and the focus in it.
 */
export function placesOf(keys: readonly string[], before: ReadonlyMap<string, number>): Map<string, number> {
  const drawn = new Set(keys)
  const free = [...before].filter(([key]) => !drawn.has(key)).map(([, place]) => place)
  free.reverse()
  let next = Math.max(-1, ...before.values()) + 1
  return new Map(keys.map((key) => [key, before.get(key) ?? free.pop() ?? next++]))
}
