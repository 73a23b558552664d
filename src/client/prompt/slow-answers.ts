// Says what is waited for when an answer takes long, so that nobody takes the prompt for dead.

import type { Operations } from '../operations.ts'

/** A tracker in the next room takes milliseconds; whoever waits for longer begins to wonder. */
const wonderingMs = 2000

/** What a tracker has to answer, and takes no time by its nature. */
const asked: ReadonlySet<keyof Operations> = new Set([
  'createUser',
  'login',
  'logout',
  'changePassword',
  'resetPassword',
  'deleteAccount',
  'createGroup',
  'listGroups',
  'joinGroup',
  'listRequests',
  'acceptRequest',
  'rejectRequest',
  'leaveGroup',
  'listMembers',
  'removeMember',
  'listFiles',
  'downloadFile',
  'stopShare',
] as const)

/** The same operations; `say` is called once for each call without an answer after two seconds. */
export function sayingWhenSlow(operations: Operations, say: (sentence: string) => void): Operations {
  return new Proxy(operations, {
    get(target, name: keyof Operations) {
      const operation = target[name] as (...given: unknown[]) => unknown
      if (!asked.has(name)) return operation
      return (...given: unknown[]) => {
        const timer = setTimeout(() => say('no answer from a tracker yet; waiting for it'), wonderingMs)
        const stop = (): void => clearTimeout(timer)
        const answer = operation(...given) as Promise<unknown>
        answer.then(stop, stop)
        return answer
      }
    },
  })
}
