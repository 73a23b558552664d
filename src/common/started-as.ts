// How a program was started, for texts that tell people what to type.

/**
 * `script`: the second word of the process, where the launcher puts what was typed (`./client` in a clone, `coterie` in the
 * npm package). Without a launcher that is a file, and `usual` is the answer.
 */
export function startedAs(script: string | undefined, usual: string): string {
  return script === undefined || /\.[cm]?[jt]s$/.test(script) ? usual : script
}

/** As the first word of a usage line: without `./`. */
export function nameOf(command: string): string {
  return command.replace(/^\.\//, '')
}
