// Requests about files: who shares what (hard state), and who has pieces of it right now (soft state).

import { ticketLifetimeMs } from '../../common/limits.ts'
import { fileNameProblem } from '../../common/names.ts'
import { accept, refuse } from '../../common/refusal.ts'
import { signTicket } from '../../common/security/ticket.ts'
import { EncodedResult } from '../../common/wire/messages.ts'
import { numberOf } from '../state/entries.ts'
import { changedSince, findFile, listFiles, listVersions, mayAnnounce } from '../state/queries.ts'
import type { EarlierVersion } from '../state/state.ts'
import type { IssuedTicket, Login } from '../presence/login.ts'
import { changeBy } from './changes.ts'
import { answerOf } from './sentences.ts'
import { nothing, type HandlersOf, type Services } from './services.ts'
import type { Requester } from './requester.ts'

type Files = HandlersOf<
  | 'share_file'
  | 'unshare_file'
  | 'list_files'
  | 'list_versions'
  | 'follow_group'
  | 'unfollow_group'
  | 'find_file'
  | 'forget_file'
  | 'announce'
  | 'retract'
>

export function fileHandlers(services: Services): Files {
  const { sequencer, presence } = services
  return {
    share_file: (params, from) => {
      const problem = fileNameProblem(params.name)
      // A name that the group has already, from an earlier version, may be shared again: at each login, for example.
      // Whoever may not look for it is not told that it is there.
      if (problem !== undefined && !findFile(sequencer.state, from.login.user, params.group, params.name).ok)
        return refuse('bad-name', problem)
      return changeBy(services, { kind: 'share_file', ...params }, from)
    },
    unshare_file: (params, from) => changeBy(services, { kind: 'unshare_file', ...params }, from),
    list_files: ({ group, after, details }, from) => {
      const page = listFiles(sequencer.state, from.user, group, after)
      if (!page.ok) return answerOf(page)
      const listed = page.value.files.map((entry) => {
        const { name, fileId, sizeBytes, edition } = entry
        const seeders = presence.seeders({ group, name, fileId })
        const folder = edition?.files === undefined ? '' : `,"files":${edition.files}`
        const more = details === true ? `,"details":${JSON.stringify({ fileId, ...editionOf(entry) })}` : ''
        return `{"name":${JSON.stringify(name)},"sizeBytes":${sizeBytes},"seeders":${seeders}${folder}${more}}`
      })
      return accept(new EncodedResult(`{"files":[${listed.join()}],"more":${page.value.more}}`))
    },
    list_versions: ({ group, name }, from) => {
      const all = listVersions(sequencer.state, from.user, group, name)
      if (!all.ok) return answerOf(all)
      const versions = all.value.map((one) => ({
        fileId: one.fileId,
        sizeBytes: one.sizeBytes,
        ...filesOf(one),
        ...editionOf(one),
      }))
      return accept({ versions })
    },
    follow_group: ({ group, after }, from) => {
      const { state, position } = sequencer
      const changed = changedSince(state, from.user, group, after)
      if (!changed.ok) return answerOf(changed)
      presence.followers.add(from.login, group)
      return accept({ position, changed: changed.value })
    },
    unfollow_group: ({ group }, { login }) => {
      presence.followers.delete(login, group)
      return nothing
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
        const isTaken = mayAnnounce(state, login.user, file) && presence.announce(login, file, file.complete)
        if (!isTaken) refused.push({ group: file.group, name: file.name })
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
  services: Services,
  group: string,
  name: string,
  { login, knowsFolders }: Requester,
): ReturnType<Files['find_file']> {
  const file = findFile(services.sequencer.state, login.user, group, name)
  if (!file.ok) return answerOf(file)
  const { fileId, sizeBytes } = file.value
  const files = file.value.edition?.files
  if (files !== undefined && !knowsFolders)
    return refuse('protocol-version', `${name} is a folder; update this client to fetch it`)
  const peers = services.presence.watch(login, { group, name, fileId })
  if (peers === undefined)
    return refuse('busy', 'you are asking for too many files at once; wait until you have some of them')
  const ticket = ticketFor(services, login, group)
  // A file id has nothing to escape.
  const version = `"version":${numberOf(file.value)}${files === undefined ? '' : `,"files":${files}`}`
  const fields = `"fileId":"${fileId}","sizeBytes":${sizeBytes},${version},${ticket.json}`
  return accept(new EncodedResult(`{${fields},"peers":[${peers.map(({ json }) => json).join()}]}`))
}

/** What is known of a content's origin, for the wire. */
function editionOf(content: Pick<EarlierVersion, 'edition'>): { version: number; atMs: number; by: string } {
  const { atMs = 0, by = '' } = content.edition ?? {}
  return { version: numberOf(content), atMs, by }
}

function filesOf({ edition }: EarlierVersion): { files?: number } {
  return edition?.files === undefined ? {} : { files: edition.files }
}

/** Reuses the last ticket for half of its life, so that whoever gets it has at least the other half to use it. */
function ticketFor({ sequencer, identity, nowMs }: Services, login: Login, group: string): IssuedTicket {
  const last = login.tickets.get(group)
  const leftMs = (last?.expiresMs ?? 0) - nowMs()
  // A ticket that seems to last longer than it can was issued before the clock was set back.
  if (last !== undefined && leftMs > ticketLifetimeMs / 2 && leftMs <= ticketLifetimeMs) return last
  const expiresMs = nowMs() + ticketLifetimeMs
  const { user, key } = login
  const ticket = signTicket(identity, { user, group, key, position: sequencer.position, expiresMs })
  const issued = { expiresMs, json: JSON.stringify({ ticket, expiresMs }).slice(1, -1) }
  login.tickets.set(group, issued)
  return issued
}
