// Which rows of a long list are drawn: those in sight and some on both sides. Pure.

/** Rows beyond each edge, so that scrolling and the Tab key find the next ones there. */
const beyond = 6
/** Rows that are scrolled before others are drawn: most pictures of a slow scroll need no work at all. */
const rowsAtOnce = 3

/** From where on rows are drawn, for a list that is scrolled so far. */
export function scrolledStep(scrolledPx: number, rowPx: number): number {
  return scrolledPx - (scrolledPx % (rowsAtOnce * rowPx))
}

/**
 * Indexes of rows, in order. `kept`: one that is drawn wherever it is, since it has the focus, which would be lost with it.
 */
export function rowsInSight(
  count: number,
  rowPx: number,
  scrolledPx: number,
  heightPx: number,
  kept?: number,
): number[] {
  const from = Math.max(0, Math.floor(scrolledPx / rowPx) - beyond)
  const to = Math.min(count, Math.ceil((scrolledPx + heightPx) / rowPx) + beyond)
  const rows = Array.from({ length: Math.max(0, to - from) }, (_, at) => from + at)
  if (kept === undefined || kept >= count) return rows
  if (kept < from) return [kept, ...rows]
  return kept >= to ? [...rows, kept] : rows
}
