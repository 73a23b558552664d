// What a client does about standing wishes.

import { plainNameProblem } from '../../common/names.ts'
import { accept } from '../../common/refusal.ts'
import { noSuchGroup, notLoggedIn } from '../answers.ts'
import type { SubscriptionOperations } from '../subscription-operations.ts'
import type { Core } from './core.ts'

export function subscriptionActions({ session }: Core): SubscriptionOperations {
  return {
    async subscribe(group, glob, folder) {
      const open = session()
      if (open === undefined) return notLoggedIn()
      if (plainNameProblem('group', group) !== undefined) return noSuchGroup(group)
      return open.subscriptions.add(group, glob.normalize('NFC'), folder)
    },
    unsubscribe: async (group, glob) =>
      session()?.subscriptions.remove(group, glob.normalize('NFC')) ?? notLoggedIn(),
    async listSubscriptions() {
      const open = session()
      if (open === undefined) return notLoggedIn()
      return accept(
        open.subscriptions.all.map((wish) => ({
          group: wish.group,
          glob: wish.glob,
          folder: wish.folder,
          fetched: wish.fetched.size,
          held: open.subscriptions.heldOf(wish),
        })),
      )
    },
  }
}
