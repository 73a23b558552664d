// Prometheus' text format, version 0.0.4. Pure. Not from a library: the format fits this page, and the usual library
// takes ten times as long for an observation, which every request makes.

export interface Family {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: readonly Sample[]
}

export interface Sample {
  /** Appended to the name of the family: `_bucket`, `_sum` and `_count` of a histogram. */
  readonly suffix?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly value: number
}

/** The content type of the format. */
export const expositionType = 'text/plain; version=0.0.4; charset=utf-8'

export function exposition(families: readonly Family[]): string {
  return families.map(familyText).join('')
}

/** A family with one number. */
export function single(type: 'counter' | 'gauge', name: string, help: string, value: number): Family {
  return { type, name, help, samples: [{ value }] }
}

function familyText({ name, help, type, samples }: Family): string {
  const lines = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`]
  for (const { suffix = '', labels = {}, value } of samples) {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
    const inBraces = pairs.length === 0 ? '' : `{${pairs.join(',')}}`
    lines.push(`${name}${suffix}${inBraces} ${numberText(value)}`)
  }
  return `${lines.join('\n')}\n`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf'
  if (value === -Infinity) return '-Inf'
  return String(value)
}
