// The moments between which a crash must make no difference, published for whoever wants to crash there.
// Nobody does in production, and then one costs a look at a property.

import { channel } from 'node:diagnostics_channel'

/** In the order in which a command meets them; a snapshot comes between commands. */
export type Moment =
  | 'before append'
  | 'before commit'
  | 'after commit'
  | 'before apply'
  | 'after apply'
  | 'before reply'
  | 'after reply'
  | 'after append'
  | 'before snapshot'
  /** Written, and the entries that it stands for removed, and none of that committed. */
  | 'during snapshot'
  | 'after snapshot'

const moments = channel('coterie:tracker:moment')

export function reach(moment: Moment): void {
  if (moments.hasSubscribers) moments.publish(moment)
}
