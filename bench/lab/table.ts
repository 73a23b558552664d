// Rows of a table whose columns have their widths from the start, since each is printed as soon as it is known.

export function printRow(widths: readonly number[], words: readonly string[]): void {
  const cells = words.map((word, index) => word.padEnd(widths[index] ?? 0))
  console.log(cells.join('').trimEnd())
}
