// What happened, in words for the page: where the prompt names a command, the page has a button. Pure.

import { eventSentence } from '../../client/event-sentence.ts'
import type { ClientEvent } from '../../client/operations.ts'
import { formatTime } from '../../client/prompt/text/amounts.ts'
import { formatSize } from '../../common/sizes.ts'

export function eventText(event: ClientEvent): string {
  switch (event.kind) {
    case 'user-changed':
      return event.user === undefined ? 'nobody is logged in now' : `${event.user} is logged in now`
    case 'download-complete': {
      const time = event.seconds < 1 ? undefined : formatTime(event.seconds)
      const how = formatSize(event.sizeBytes) + (time === undefined ? '' : ` in ${time}`)
      return `${event.name} of ${event.group} is complete, ${how}`
    }
    case 'download-failed':
      return `the download of ${event.name} from ${event.group} failed: ${event.why}`
    case 'join-requested':
      return `${event.user} asks to join ${event.group}${event.times === undefined ? '' : `, ${event.times} times now`}`
    case 'request-decided':
    case 'removed-from-group':
    case 'became-owner':
    case 'link-used':
    case 'link-ended':
    case 'trackers-lost':
    case 'tracker-back':
    case 'notice':
      break
  }
  return eventSentence(event)
}
