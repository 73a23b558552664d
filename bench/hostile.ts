// npm run bench:hostile [-- --of sharers|downloaders] [--kinds hold,greedy] [--counts 1,3,10,25] [--sizes 8,256]
// Measures what hostile peers cost honest ones: a download next to 1 to 25 sharers of each kind that withholds or
// lies, and a sharer next to 25 to 400 connections of each kind that takes too much. Exits with 1 when a bound is
// missed. Linux.

import { parseArgs } from 'node:util'
import { inArena } from './arena.ts'
import { attackKinds } from './hostile/attack-plan.ts'
import { measureBadDownloaders } from './hostile/bad-downloaders.ts'
import { measureBadSharers, sharerKinds } from './hostile/bad-sharers.ts'

const { values } = parseArgs({
  options: {
    of: { type: 'string', default: 'sharers,downloaders' },
    counts: { type: 'string' },
    kinds: { type: 'string' },
    sizes: { type: 'string', default: '8,256' },
  },
})

function numbers(text: string): number[] {
  return text.split(',').map(Number)
}

function chosen(all: readonly string[]): string[] {
  return values.kinds?.split(',').filter((kind) => all.includes(kind)) ?? [...all]
}

if (values.of.includes('sharers')) {
  const [kinds, counts] = [chosen(sharerKinds), numbers(values.counts ?? '1,3,10,25')]
  if (kinds.length > 0) await inArena((arena) => measureBadSharers(arena, kinds, counts))
}
if (values.of.includes('downloaders')) {
  const [kinds, counts] = [chosen(attackKinds), numbers(values.counts ?? '25,150,400')]
  if (kinds.length > 0)
    await inArena((arena) => measureBadDownloaders(arena, kinds, counts, numbers(values.sizes)))
}
process.exit()
