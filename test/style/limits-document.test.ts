// Holds docs/limits.md against the sources: each number that it names is the one that holds.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  answerBytesAtOnce,
  answerBytesPerSecond,
  heldByEntriesMax,
  heldBySlowMax,
  heldMax,
  openedFilesMax,
  recipesWaitingMax,
  slowOfOwnerMax,
  wantedOfOwnerMax,
} from '../../src/client/sharing/limits.ts'
import {
  announceFilesMax,
  pathBytesMax,
  pathDepthMax,
  peerConnectionLimits,
  peersPerFileMax,
  pieceCountMax,
  relayLimits,
  relayPairsOfClient,
  requestsInFlightMax,
  stalledAfterMs,
  stalledInPiecesAfterMs,
  trackerKeysMax,
  treeBytesMax,
  treeFilesMax,
  treePathBytesMax,
  unsentBytesMax,
  unsentToPeerBytesMax,
} from '../../src/common/limits.ts'
import { unreadEventsMax } from '../../src/library/event-iterator.ts'
import {
  announcedOfUserMax,
  callsOfPairPerMinute,
  callsOfUserPerMinute,
  callsToUserPerMinute,
  commandsWaitingMax,
  connectionLimits,
  countedNetworksMax,
  failedAttemptsOfLoopbackPerMinute,
  failedAttemptsOfNetworkPerMinute,
  failedAttemptsOfPairPerMinute,
  failedAttemptsOfSitePerMinute,
  failedAttemptsOfUserPerMinute,
  fairness,
  knownKeysOfUserMax,
  newsPaceMaxMs,
  newsPaceMinMs,
  newsPaceMsPerWatcher,
  noticesWaitingMax,
  peersOfUserMax,
  probeGoodForMs,
  probesAtOnce,
  probesOfNetworkMax,
  probesWaitingMax,
  probeTimeoutMs,
  watchedOfUserMax,
} from '../../src/tracker/limits.ts'
import { invitesMax } from '../../src/tracker/state/registration.ts'
import { quotaTable } from '../../src/tracker/state/quotas.ts'
import { linkLimits } from '../../src/client/guests/limits.ts'
import { guestLimits } from '../../src/web/guests/limits.ts'
import { pageLimits } from '../../src/web/server/limits.ts'

const text = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8')

/** The second column of the tables of a chapter. */
function valuesOf(title: string): string[] {
  const chapter = text.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? ''
  return [...chapter.matchAll(/^\| (?!bound|quota|-)[^|]+ \| ([^|]+) \|/gm)].map(([, value = '']) => value)
}

const count = (value: number): string => value.toLocaleString('en')
const seconds = (ms: number): string => `${ms / 1000} s`

test.each([
  [
    'Connections to a tracker',
    [
      count(connectionLimits.unproven),
      count(connectionLimits.unprovenOfNetwork),
      count(connectionLimits.unprovenOfLoopback),
      seconds(connectionLimits.begunGraceMs),
      seconds(connectionLimits.crowdedGraceMs),
      count(connectionLimits.ofOwner),
      count(connectionLimits.all),
    ],
  ],
  [
    'Requests',
    [
      count(requestsInFlightMax),
      `${unsentBytesMax / 1024} KiB`,
      seconds(stalledAfterMs),
      count(fairness.changesOfOwnerMax),
      count(fairness.changesMax),
      count(announceFilesMax),
      count(commandsWaitingMax),
      `${fairness.sliceMs} ms`,
    ],
  ],
  [
    'Failed attempts',
    [
      failedAttemptsOfPairPerMinute,
      failedAttemptsOfNetworkPerMinute,
      failedAttemptsOfLoopbackPerMinute,
      failedAttemptsOfUserPerMinute,
      failedAttemptsOfSitePerMinute,
      countedNetworksMax,
      knownKeysOfUserMax,
    ].map(count),
  ],
  [
    'Swarms',
    [
      count(peersPerFileMax),
      count(peersOfUserMax),
      count(watchedOfUserMax),
      count(announcedOfUserMax),
      count(noticesWaitingMax),
      `${newsPaceMsPerWatcher} ms apart for each watcher, ${newsPaceMinMs} ms to ${seconds(newsPaceMaxMs)}`,
    ],
  ],
  [
    'Ways between clients',
    [
      count(callsOfPairPerMinute),
      count(callsOfUserPerMinute),
      count(callsToUserPerMinute),
      seconds(probeTimeoutMs),
      count(probesAtOnce),
      count(probesOfNetworkMax),
      count(probesWaitingMax),
      seconds(probeGoodForMs),
      count(relayLimits.pairs),
      count(relayPairsOfClient),
      count(relayLimits.pairsOfUser),
      seconds(relayLimits.comeWithinMs),
      seconds(relayLimits.idleMs),
      `${relayLimits.lifetimeMs / 3_600_000} h`,
    ],
  ],
  ['Communities', [count(invitesMax), count(trackerKeysMax)]],
  [
    'Connections to a sharing client',
    [
      count(peerConnectionLimits.unheard),
      count(peerConnectionLimits.waiting),
      count(peerConnectionLimits.unproven),
      count(peerConnectionLimits.claimed),
      count(peerConnectionLimits.claimedOfOwner),
      seconds(peerConnectionLimits.proveWithinMs),
      count(peerConnectionLimits.ofOwner),
      count(peerConnectionLimits.proven),
      count(peerConnectionLimits.all),
    ],
  ],
  [
    'Folders',
    [
      count(treeFilesMax),
      `${treeBytesMax / 1024 / 1024} MiB`,
      `${treePathBytesMax / 1024 / 1024} MiB`,
      count(pathDepthMax),
      count(pathBytesMax),
      count(pieceCountMax),
    ],
  ],
  [
    'What a sharing client holds and answers',
    [
      count(heldMax),
      count(heldByEntriesMax),
      count(heldBySlowMax),
      count(slowOfOwnerMax),
      count(openedFilesMax),
      count(wantedOfOwnerMax),
      count(recipesWaitingMax),
      `${answerBytesAtOnce / 1024 / 1024} MiB`,
      `${answerBytesPerSecond / 1024} KiB/s`,
      `${unsentToPeerBytesMax / 1024} KiB`,
      seconds(stalledInPiecesAfterMs),
    ],
  ],
  [
    'The page',
    [
      seconds(pageLimits.linkLifetimeMs),
      count(pageLimits.links),
      count(pageLimits.browsers),
      count(pageLimits.strangers),
      count(pageLimits.known),
      count(pageLimits.strangersPerSecond),
      count(pageLimits.knownPerSecond),
      seconds(pageLimits.headersWithinMs),
      `${pageLimits.bodyBytes / 1024 / 1024} MiB`,
      seconds(pageLimits.bodyWithinMs),
      count(pageLimits.operations),
      count(pageLimits.operationsTogether),
      count(pageLimits.eventStreams),
      `${pageLimits.unreadEventBytes / 1024} KiB`,
      count(pageLimits.fileStreams),
      count(pageLimits.drops),
      seconds(pageLimits.dropSilenceMs),
    ],
  ],
  [
    'Guests',
    [
      count(guestLimits.connections),
      count(guestLimits.connectionsOfNetwork),
      seconds(guestLimits.headersWithinMs),
      `${guestLimits.headerBytes / 1024} KiB`,
      count(guestLimits.requestsOfNetworkPerSecond),
      seconds(guestLimits.idleMs),
      seconds(guestLimits.silentMs),
      count(guestLimits.transfers),
      count(guestLimits.transfersOfNetwork),
      seconds(linkLimits.stalledMs),
      count(guestLimits.listedFiles),
      count(linkLimits.open),
      `${linkLimits.longestMs / 86_400_000} days`,
      `${linkLimits.rememberedMs / 86_400_000} days`,
      count(linkLimits.ended),
      count(linkLimits.guests),
    ],
  ],
  ['The library', [count(unreadEventsMax)]],
])('the bounds of "%s" are those of the sources', (title, expected) => {
  expect(valuesOf(title)).toEqual(expected)
})

test('the quotas are those of the sources, with their meanings', () => {
  const rows = [...text.matchAll(/^\| `(\w+)` \| ([\d,]+) \| ([^|]+) \|$/gm)].map((row) => row.slice(1))
  expect(rows).toEqual(
    Object.entries(quotaTable).map(([name, { value, meaning }]) => [name, count(value), meaning]),
  )
})
