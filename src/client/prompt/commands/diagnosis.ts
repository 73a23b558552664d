// The commands that say why something waits, and whether this client has what it needs.

import { accept } from '../../../common/refusal.ts'
import type { Check } from '../../diagnosis/checks.ts'
import type { Finding } from '../../diagnosis/reasons.ts'
import type { Line, Tone } from '../../../common/terminal/line.ts'
import type { PromptCommand } from './command.ts'
import { list, withData } from './command.ts'

function findingLines({ code, sentence, remedy, name }: Finding): Line[] {
  const about = name === undefined ? '' : `${name}: `
  return [{ text: `${code}  ${about}${sentence}`, hanging: 4 }, remedyLine(remedy)]
}

function remedyLine(remedy: string): Line {
  return { text: `    ${remedy}`, tone: 'faint', hanging: 4 }
}

const tones: Readonly<Record<Check['state'], Tone>> = { ok: 'good', warning: 'waiting', problem: 'bad' }

function checkLines({ check, state, sentence, remedy }: Check): Line[] {
  const line: Line = { text: `${state}  ${check}: ${sentence}`, tone: tones[state], hanging: 4 }
  return remedy === undefined ? [line] : [line, remedyLine(remedy)]
}

export const diagnosisCommands: readonly PromptCommand[] = [
  {
    name: 'why',
    words: '<group> [name]',
    summary: 'say what a download or share waits for, and what to do',
    async run({ operations }, [group, name]: readonly [string, string | undefined, string | undefined]) {
      const answer = await operations.why(group, name)
      if (!answer.ok) return answer
      const findings = answer.value
      const lines = findings.flatMap(findingLines)
      return withData(list(lines, `nothing in ${group} is waiting`), { group, name: name ?? null, findings })
    },
  },
  {
    name: 'doctor',
    words: '',
    summary: 'check address, trackers, clock, disk, permissions and versions',
    async run({ operations }) {
      const checks = await operations.doctor()
      return accept({ lines: checks.flatMap(checkLines), data: { checks } })
    },
  },
]
