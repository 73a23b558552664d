// The commands for links by which guests, people without an account, fetch one entry.

import { counted } from '../../../common/counted.ts'
import { accept, refuse } from '../../../common/refusal.ts'
import { formatSize } from '../../../common/sizes.ts'
import type { LinkView } from '../../link-operations.ts'
import { formatDay } from '../text/days.ts'
import { parseCount, parseLinkOptions, usesText } from '../text/links.ts'
import type { PromptCommand } from './command.ts'
import { list, withData } from './command.ts'
import { tableLines } from './replies.ts'

export const linkCommands: readonly PromptCommand[] = [
  {
    name: 'share_link',
    words: '<group> <name>',
    summary: 'make a link by which somebody without an account fetches what you share',
    flags: [
      { flag: '--for <duration>', summary: 'how long it is good, 24h by default: 2h, 7d' },
      { flag: '--times <count>', summary: 'how often it may be used; without this, any number' },
    ],
    examples: ['share_link family beach.mp4', 'share_link work offer.pdf --for 7d --times 1'],
    async run({ operations }, [group, name], flags) {
      const options = parseLinkOptions(flags.get('--for'), flags.get('--times'))
      if (!options.ok) return options
      const made = await operations.shareLink(group, name, options.value)
      if (!made.ok) return made
      const { link, url, untilMs, times, fingerprint, pin } = made.value
      const often = times === undefined ? '' : `, ${counted(times, 'time')}`
      const lines = [
        { text: url },
        {
          text: `link ${link} to ${made.value.name} in ${made.value.group} is good until ${formatDay(untilMs)}${often}`,
        },
        ...(fingerprint === undefined
          ? []
          : [{ text: `its certificate has the SHA-256 fingerprint ${fingerprint}` }]),
      ]
      const data = {
        ...{ link, group: made.value.group, name: made.value.name, url, untilMs },
        ...{ times: times ?? null, fingerprint: fingerprint ?? null, pin: pin ?? null },
      }
      return accept({ lines, data, hint: `this link is shown once; revoke_link ${link} takes it back` })
    },
  },
  {
    name: 'list_links',
    words: '',
    summary: 'list your links for guests, and how often each was used',
    async run({ operations, terminal }) {
      const answer = await operations.listLinks()
      if (!answer.ok) return answer
      const links = answer.value
      const lines = tableLines(
        links.map((link) => rowOf(link, terminal)),
        terminal,
      )
      return withData(list(lines, 'no links', 'revoke_link <link> takes one back'), { links })
    },
  },
  {
    name: 'revoke_link',
    words: '<link>',
    summary: 'take a link back at once, by its number',
    examples: ['revoke_link 3'],
    async run({ operations }, [typed]) {
      const link = parseCount(typed)
      if (link === undefined)
        return refuse('usage', `"${typed}" is not the number of a link; list_links shows them`)
      const revoked = await operations.revokeLink(link)
      if (!revoked.ok) return revoked
      const { group, name } = revoked.value
      return accept({
        lines: [{ text: `link ${link} to ${name} in ${group} is taken back` }],
        data: { link, group, name },
      })
    },
  },
]

function rowOf(view: LinkView, isRounded: boolean): string[] {
  const { link, group, name, sizeBytes, files, untilMs, why, fetching } = view
  const now = fetching === 0 ? '' : `, ${fetching} at the moment`
  return [
    String(link),
    group,
    files === undefined ? name : `${name}/`,
    isRounded ? formatSize(sizeBytes) : counted(sizeBytes, 'byte'),
    `${usesText(view)}${now}`,
    why === undefined ? `until ${formatDay(untilMs)}` : why,
  ]
}
