// Every request of the tracker's protocol and who answers it.

import type { TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import type { Handlers } from '../../common/wire/responder.ts'
import { accountHandlers } from './accounts.ts'
import { AnsweredHere } from './answered-here.ts'
import { callHandlers } from './calls.ts'
import { fileHandlers } from './files.ts'
import { groupHandlers } from './groups.ts'
import { ownAccountHandlers } from './own-account.ts'
import type { Services } from './services.ts'
import type { Requester } from './requester.ts'

export function trackerHandlers(parts: Omit<Services, 'answeredHere'>): Handlers<TrackerProtocol, Requester> {
  const services = { ...parts, answeredHere: new AnsweredHere() }
  return {
    ...accountHandlers(services),
    ...ownAccountHandlers(services),
    ...groupHandlers(services),
    ...fileHandlers(services),
    ...callHandlers(services),
  }
}
