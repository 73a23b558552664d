// Completions of the command line for bash, zsh and fish. They know options and the commands behind -e; what is in a group
// the prompt knows. Pure.

import type { Manual, ManualOption } from './manual.ts'

export const shells = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof shells)[number]

/** The script that completes both programs in this shell. */
export function completionsFor(shell: Shell, manuals: readonly Manual[]): string {
  const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript }
  return scripts[shell](manuals)
}

/** How a program may be called: as it is installed, and in the folder of its sources. */
function callsOf({ name, command }: Manual): string[] {
  return [command, `./${name}`]
}

function namesOf({ flags }: ManualOption): string[] {
  return flags.split(/, | /).filter((word) => word.startsWith('-'))
}

function takesWord({ flags }: ManualOption): boolean {
  return flags.includes('<')
}

function commandsOf({ areas }: Manual): string[] {
  return areas.flatMap(([, commands]) => commands.map(({ name }) => name))
}

function bashScript(manuals: readonly Manual[]): string {
  const functions = manuals.map((manual) => {
    const options = manual.options.flatMap(namesOf).join(' ')
    const commands = commandsOf(manual).join(' ')
    const execute =
      commands === ''
        ? ''
        : `    -e|--execute) mapfile -t COMPREPLY < <(compgen -W '${commands}' -- "$word"); return ;;\n`
    return `_coterie_${manual.name}() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  case $before in
${execute}    --data-dir) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
  esac
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '${options}' -- "$word")
  else
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
  fi
}
complete -o filenames -F _coterie_${manual.name} ${callsOf(manual).join(' ')}`
  })
  return `# Completions of Coterie for bash. Made by npm run manual.\n\n${functions.join('\n\n')}\n`
}

function zshScript(manuals: readonly Manual[]): string {
  const quoted = (text: string): string => text.replaceAll("'", "'\\''").replaceAll(/[[\]:]/g, '\\$&')
  const functions = manuals.map((manual) => {
    const commands = commandsOf(manual).join(' ')
    const rows = manual.options.flatMap((option) =>
      namesOf(option).map((name) => {
        const isCommand = name === '-e' || name === '--execute'
        const word = isCommand ? `:command:(${commands})` : takesWord(option) ? ':value:_files' : ''
        return `    '*${name}[${quoted(option.description)}]${word}' \\`
      }),
    )
    return `_coterie_${manual.name}() {
  _arguments -s \\
${rows.join('\n')}
    '*:file:_files'
}
compdef _coterie_${manual.name} ${callsOf(manual).join(' ')}`
  })
  const firstTime = manuals.map((manual) => `  ${manual.command}) _coterie_${manual.name} "$@" ;;`)
  return `#compdef ${manuals.flatMap(callsOf).join(' ')}
# Completions of Coterie for zsh. Made by npm run manual.

${functions.join('\n\n')}

# Where it is installed, zsh reads this file at the first completion, which it has to answer too.
case \${service-} in
${firstTime.join('\n')}
esac
`
}

function fishScript(manuals: readonly Manual[]): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = manuals.flatMap((manual) =>
    manual.options.map((option) => {
      const names = namesOf(option).map((name) =>
        name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
      )
      const isCommand = namesOf(option).includes('--execute')
      const word = isCommand
        ? ` -x -a ${quoted(commandsOf(manual).join(' '))}`
        : takesWord(option)
          ? ' -r'
          : ''
      return `complete -c ${manual.command} ${names.join(' ')}${word} -d ${quoted(option.description)}`
    }),
  )
  return `# Completions of Coterie for fish. Made by npm run manual.\n\n${lines.join('\n')}\n`
}
