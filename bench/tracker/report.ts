// What a bench prints: columns of figures, and verdicts against bounds. Remembers whether all were reached.

let allReached = true

/** Whether every verdict so far was "reached". */
export function isAllReached(): boolean {
  return allReached
}

export function say(what: string, ...columns: readonly (string | number)[]): void {
  const shown = columns.map((column) => ` ${String(column).padStart(10)}`).join('')
  console.log(`${what.padEnd(44)}${shown}`)
}

export function verdict(what: string, measured: string, asked: string, isReached: boolean): void {
  allReached &&= isReached
  console.log(`  ${isReached ? 'reached' : 'MISSED '}  ${what}: ${measured} (asked: ${asked})`)
}

export function thousands(count: number): string {
  return Math.round(count).toLocaleString('en')
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}

export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}

/** Milliseconds for a table; Infinity for what never came. */
export function inMs(ms: number): string {
  if (ms === Infinity) return 'never'
  return ms < 100 ? ms.toFixed(1) : thousands(ms)
}

/** Warns when the machine is too busy to judge a bound: even a bare server takes a quarter of it. */
export function mentionMachine(bareMs: number, boundMs: number): void {
  if (bareMs < boundMs / 4) return
  console.log(`  the machine is not quiet: a bare server, too, took up to ${inMs(bareMs)} ms`)
}
