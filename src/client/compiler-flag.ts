// Which flag makes V8 compile later. Pure.

/**
 * V8 compiles a function to optimised code when it has run for so long, on threads beside. What runs here are
 * some thousand short calls for each gigabyte: with its defaults the compiler took a tenth of all processor
 * time of fetching one, and saved none of it. Three to six times as late is enough.
 *
 * The flags change with V8, and one that it does not know it complains about on standard error. So a flag is
 * here for the versions that it was measured with; others run as they are.
 */
const flags: ReadonlyMap<string, string> = new Map([
  // Node 20.
  ['11.3', '--interrupt-budget=400000'],
  // Node 22 and 24.
  ['12.4', '--invocation-count-for-turbofan=18000'],
  ['13.6', '--invocation-count-for-turbofan=18000'],
])

/** `version` as in `process.versions.v8`. */
export function compilerFlag(version: string): string | undefined {
  return flags.get(version.split('.').slice(0, 2).join('.'))
}
