// What a client can do with standing wishes, as an interface: see operations.ts.

import type { Answer } from '../common/refusal.ts'

/** A standing wish: what a group has, and will have, under names like this. */
export interface SubscriptionView {
  readonly group: string
  /** As in a shell: `*`, `?`, `[abc]`, `{one,two}`. */
  readonly glob: string
  /** Where it goes. */
  readonly folder: string
  /** How many names were fetched by it. */
  readonly fetched: number
  /** Names that are not fetched, and why. */
  readonly held: readonly { readonly name: string; readonly why: string }[]
}

export interface SubscriptionOperations {
  /** Fetches into the folder what the group has under these names, now, later, and every new version. */
  subscribe(group: string, glob: string, folder: string): Promise<Answer<void>>
  /** What was fetched stays. */
  unsubscribe(group: string, glob: string): Promise<Answer<void>>
  listSubscriptions(): Promise<Answer<SubscriptionView[]>>
}
