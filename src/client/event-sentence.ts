// What happened, as one sentence, where it reads the same in the prompt and on the page. Pure.

import type { ClientEvent } from './operations.ts'

/** Those that each face of the client shows in its own way. */
type OwnWords = 'user-changed' | 'download-complete' | 'download-failed' | 'join-requested'

export function eventSentence(event: Exclude<ClientEvent, { kind: OwnWords }>): string {
  switch (event.kind) {
    case 'request-decided':
      return event.accepted
        ? `you are now a member of ${event.group}`
        : `your request to join ${event.group} was rejected`
    case 'removed-from-group':
      return `you are no longer a member of ${event.group}`
    case 'became-owner':
      return `you are now the owner of ${event.group}`
    case 'link-used': {
      const { uses, times } = event
      const which = times === undefined ? `use ${uses}` : `use ${uses} of ${times}`
      return `a guest at ${event.guest} fetches ${event.name} of ${event.group} by link ${event.link} (${which})`
    }
    case 'link-ended':
      return `link ${event.link} to ${event.name} of ${event.group} has ended: that is not shared from here any more`
    case 'trackers-lost': {
      const are = event.trackers.length > 1 ? 'are' : 'is'
      const which = event.trackers.join(', ')
      return `no tracker answers; transfers go on, and ${which} ${are} tried again`
    }
    case 'tracker-back':
      return 'reconnected to the tracker'
    case 'notice':
      break
  }
  return event.sentence
}
