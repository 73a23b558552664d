// Requests about files: who shares what for good, and who has pieces of it right now.

import { ticketLifetimeMs } from '../../common/limits.ts'
import { fileNameProblem } from '../../common/names.ts'
import { accept, refuse } from '../../common/refusal.ts'
import { signTicket } from '../../common/security/ticket.ts'
import { findFile, listFiles, mayAnnounce } from '../state/queries.ts'
import { change } from './changes.ts'
import { answerOf } from './sentences.ts'
import { nothing, type HandlersOf, type Services } from './services.ts'
import type { Requester } from './requester.ts'

type Files = HandlersOf<
  'share_file' | 'unshare_file' | 'list_files' | 'find_file' | 'forget_file' | 'announce' | 'retract'
>

export function fileHandlers(services: Services): Files {
  const { sequencer, presence } = services
  return {
    share_file: (params, from) => {
      const problem = fileNameProblem(params.name)
      // A name of before, that the group has already, may be shared again: at each login, say.
      if (
        problem !== undefined &&
        sequencer.state.groups.get(params.group)?.entries.has(params.name) !== true
      )
        return refuse('bad-name', problem)
      return change(services, { kind: 'share_file', by: from.user, ...params }, from)
    },
    unshare_file: (params, from) =>
      change(services, { kind: 'unshare_file', by: from.user, ...params }, from),
    list_files: ({ group, after }, from) => {
      const page = listFiles(sequencer.state, from.user, group, after)
      if (!page.ok) return answerOf(page)
      const files = page.value.files.map(({ name, fileId, sizeBytes }) => {
        return { name, sizeBytes, seeders: presence.seeders({ group, name, fileId }) }
      })
      return accept({ files, more: page.value.more })
    },
    find_file: ({ group, name }, from) => findAndWatch(services, group, name, from),
    forget_file: ({ group, name }, { login }) => {
      presence.forget(login, group, name)
      return nothing
    },
    announce: ({ files }, { login }) => {
      const { state } = sequencer
      const refused: { group: string; name: string }[] = []
      for (const file of files) {
        if (mayAnnounce(state, login.user, file)) presence.announce(login, file, file.complete)
        else refused.push({ group: file.group, name: file.name })
      }
      return accept({ refused })
    },
    retract: ({ files }, { login }) => {
      for (const version of files) presence.retract(login, version)
      return nothing
    },
  }
}

function findAndWatch(
  { sequencer, presence, identity, nowMs }: Services,
  group: string,
  name: string,
  { login }: Requester,
): ReturnType<Files['find_file']> {
  const file = findFile(sequencer.state, login.user, group, name)
  if (!file.ok) return answerOf(file)
  const { fileId, sizeBytes } = file.value
  const peers = presence.watch(login, { group, name, fileId })
  const expiresMs = nowMs() + ticketLifetimeMs
  const ticket = signTicket(identity, { user: login.user, group, key: login.key, expiresMs })
  return accept({ fileId, sizeBytes, peers, ticket, expiresMs })
}
