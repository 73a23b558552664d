// The command for the page of this client.

import { accept } from '../../../common/refusal.ts'
import type { PromptCommand } from './command.ts'

export const pageCommands: readonly PromptCommand[] = [
  {
    name: 'show_page',
    words: '',
    summary: 'print a link to a page that shows all this, for a browser on this machine',
    async run({ operations }) {
      const answer = await operations.showPage()
      if (!answer.ok) return answer
      const { link } = answer.value
      const hint = 'the link can be opened once, within two minutes; show_page prints another one'
      return accept({ lines: [{ text: link }], data: { link }, hint })
    },
  },
]
