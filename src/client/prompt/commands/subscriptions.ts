// The commands for standing wishes.

import { accept } from '../../../common/refusal.ts'
import type { PromptCommand } from './command.ts'
import { list, sayIfDone, withData } from './command.ts'
import { expandHome } from '../../../common/home-folder.ts'
import { tableLines } from './replies.ts'
import { quoteWord } from '../text/words.ts'

export const subscriptionCommands: readonly PromptCommand[] = [
  {
    name: 'subscribe',
    words: '<group> <names> <destination>',
    summary: 'fetch what a group has under names like these, now, later, and every new version',
    examples: ["subscribe family '*' ~/family", 'subscribe work "nightly-*.tar" ~/builds'],
    begins: 'download',
    async run({ operations }, [group, glob, folder]) {
      const answer = await operations.subscribe(group, glob, expandHome(folder))
      if (!answer.ok) return answer
      const lines = [{ text: `${glob} of ${group} is fetched to ${folder} whenever it comes` }]
      const hint = `unsubscribe ${quoteWord(group)} ${quoteWord(glob)} ends it`
      return accept({ lines, hint, data: { group, glob, folder } })
    },
  },
  {
    name: 'unsubscribe',
    words: '<group> <names>',
    summary: 'end a subscription; what was fetched stays',
    examples: ["unsubscribe family '*'"],
    async run({ operations }, [group, glob]) {
      const answer = await operations.unsubscribe(group, glob)
      return withData(sayIfDone(answer, `${glob} of ${group} is not fetched by itself any more`), {
        group,
        glob,
      })
    },
  },
  {
    name: 'list_subscriptions',
    words: '',
    summary: 'list what is fetched by itself, and where to',
    async run({ operations, terminal }) {
      const answer = await operations.listSubscriptions()
      if (!answer.ok) return answer
      const subscriptions = answer.value
      const rows = subscriptions.map(({ group, glob, folder, fetched }) => [
        group,
        glob,
        folder,
        `${fetched} fetched`,
      ])
      const lines = tableLines(rows, terminal).flatMap((line, at) => [
        line,
        ...(subscriptions[at]?.held ?? []).map(({ name, why }) => ({
          text: `    ${name} is not fetched: ${why}`,
        })),
      ])
      const hint = 'subscribe <group> <names> <destination> begins one'
      return withData(list(lines, 'no subscriptions', hint), { subscriptions })
    },
  },
]
