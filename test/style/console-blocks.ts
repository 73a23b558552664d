// The sessions that a document shows: its blocks of lines, by terminal. Pure.

export type Where = 'A' | 'B' | 'C' | 'shell'

export interface Block {
  readonly where: Where
  readonly lines: readonly string[]
}

/** The part of a document under a heading of the second level. */
export function chapterOf(document: string, title: string): string {
  const found = document.split(/^## /m).find((part) => part.startsWith(`${title}\n`))
  if (found === undefined) throw new Error(`there is no chapter "${title}"`)
  return found
}

/** The `console` blocks of a text, each with the terminal that was named last before it. */
export function blocksOf(text: string): Block[] {
  const blocks: Block[] = []
  let where: Where = 'shell'
  for (const match of text.matchAll(/^\*\*(?:Terminal ([ABC])|A shell)\b|^```console\n([^]*?)^```/gm)) {
    if (match[2] === undefined) where = (match[1] ?? 'shell') as Where
    else blocks.push({ where, lines: match[2].trimEnd().split('\n') })
  }
  return blocks
}

/** `127.0.0.1:9002`, as the first line of a block of this terminal has it behind its program's name. */
export function addressIn(blocks: readonly Block[], where: Where): string {
  const text = blocks.filter((block) => block.where === where).flatMap(({ lines }) => lines)
  return /127\.0\.0\.1:\d+/.exec(text.join('\n'))?.[0] ?? ''
}
