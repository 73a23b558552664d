// The command that says which downloads go first.

import { refuse } from '../../../common/refusal.ts'
import { priorities, type Priority } from '../../operations.ts'
import type { PromptCommand } from './command.ts'
import { say, withData } from './command.ts'

export const prioritizeCommand: PromptCommand = {
  name: 'prioritize',
  words: '<group> <name> [high|normal|low]',
  summary: 'let a download go before others (high) or after them (low); without a priority, say which it has',
  examples: ['prioritize family photo.jpg high'],
  async run({ operations }, [group, name, word]: readonly [string, string, string | undefined]) {
    if (word !== undefined && !isPriority(word))
      return refuse('usage', `"${word}" is not a priority; write high, normal or low`)
    const answer = await operations.prioritize(group, name, word)
    if (!answer.ok) return answer
    const priority = answer.value
    return withData(say(`${name} from ${group} has ${priority} priority`), { group, name, priority })
  },
}

function isPriority(word: string): word is Priority {
  return (priorities as readonly string[]).includes(word)
}
