// Publishes the moments at which a crash must make no difference, for campaigns that crash there. In production
// nobody subscribes, and a moment costs one look at a property.

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
  /** Written, and the entries that it replaces removed, but nothing committed. */
  | 'during snapshot'
  | 'after snapshot'

const moments = channel('coterie:tracker:moment')

export function reach(moment: Moment): void {
  if (moments.hasSubscribers) moments.publish(moment)
}
