// Reads that see what was acknowledged before them, at whichever tracker. Where the log is in a file that
// costs nothing; where it is on other machines, they are asked first.

import { trackerProtocol, type TrackerProtocol } from '../../common/protocol/tracker-protocol.ts'
import { refuse } from '../../common/refusal.ts'
import type { Method } from '../../common/wire/methods.ts'
import type { Handlers } from '../../common/wire/responder.ts'
import type { Session } from './session.ts'

type TrackerHandlers = Handlers<TrackerProtocol, Session>

/** Read nothing that changes. Everything else of a connection is answered in the order of its arrival. */
const stateless = new Set<string>(['hello', 'ping', 'logout'])

/** The same handlers; those that read wait for `whenCurrent` where it gives something to wait for. */
export function readingCurrentState(
  handlers: TrackerHandlers,
  whenCurrent: () => Promise<void> | undefined,
): TrackerHandlers {
  const wrapped = Object.entries(handlers).map(([method, handler]) => {
    const { needs, mutates } = {
      mutates: false,
      ...trackerProtocol.requests[method as Method<TrackerProtocol>],
    }
    if (mutates || stateless.has(method)) return [method, handler]
    const answer = handler as (params: unknown, session: Session, requestId: number) => unknown
    const whenRead = (params: unknown, session: Session, requestId: number): unknown => {
      const current = whenCurrent()
      if (current === undefined) return answer(params, session, requestId)
      return current.then(() => {
        // Meanwhile the connection may have closed, and whoever asked be gone.
        if (needs === 'login' && !session.isLoggedIn) return refuse('login-first', 'log in first')
        return answer(params, session, requestId)
      })
    }
    return [method, whenRead]
  })
  return Object.fromEntries(wrapped) as TrackerHandlers
}
