// The command that says which downloads go first.

import { refuse } from '../../../common/refusal.ts'
import { priorities, type Priority } from '../../operations.ts'
import type { PromptCommand } from './command.ts'
import { say, withData } from './command.ts'

export const prioritizeCommand: PromptCommand = {
  name: 'prioritize',
  words: '<group> <name> [high|normal|low]',
  summary:
    'of downloads that run at the same time, those of a higher priority go first; without one, say which it has',
  examples: ['prioritize family photo.jpg high'],
  async run({ operations }, [group, name, word]: readonly [string, string, string | undefined]) {
    if (word !== undefined && !isPriority(word))
      return refuse('usage', `"${word}" is no priority; it is ${priorities.join(', ')}`)
    const answer = await operations.prioritize(group, name, word)
    if (!answer.ok) return answer
    const priority = answer.value
    return withData(say(`${name} from ${group} has ${priority} priority`), { group, name, priority })
  },
}

function isPriority(word: string): word is Priority {
  return (priorities as readonly string[]).includes(word)
}
