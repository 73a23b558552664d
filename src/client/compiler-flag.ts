// Chooses the flag that makes V8 optimise functions later. Pure.

/**
 * V8 compiles a function to optimised code, on background threads, once it has run long enough. The client
 * makes some thousand short calls per gigabyte: with V8's defaults the compiler took a tenth of the processor
 * time of a download and saved none of it. Compiling three to six times later is enough.
 *
 * The flags change with V8, which complains on standard error about a flag that it does not know. So each
 * flag applies only to the versions where it was measured to help: a download of 1 GiB takes 3 % less time on
 * Node 20 and 2 % less on Node 22. Node 24 is as fast without one.
 */
const flags: ReadonlyMap<string, string> = new Map([
  // Node 20.
  ['11.3', '--interrupt-budget=400000'],
  // Node 22.
  ['12.4', '--invocation-count-for-turbofan=18000'],
])

/** `version` as in `process.versions.v8`. */
export function compilerFlag(version: string): string | undefined {
  return flags.get(version.split('.').slice(0, 2).join('.'))
}
