// What serving other clients works with.

import type { Identity } from '../../common/security/identity.ts'
import type { Connection, OpenedWithRole } from '../../common/wire/listener.ts'
import type { Protection } from '../../common/wire/protection.ts'
import type { Role } from '../../common/wire/role-hello.ts'
import type { Way } from '../way.ts'
import type { EntryLimits } from './entry-limits.ts'
import type { RecipeOffice } from './recipe-office.ts'
import type { SourceRegistry } from './source-registry.ts'
import type { TicketOffice } from './ticket-office.ts'
import type { UploadQueue } from './upload-queue.ts'

/** What all connections of a peer server share. */
export interface ServingParts {
  readonly identity: Identity
  readonly protection: Protection
  readonly tickets: TicketOffice
  readonly sources: SourceRegistry
  readonly uploads: UploadQueue
  readonly limits: EntryLimits
  readonly recipes: Pick<RecipeOffice, 'prepare' | 'load'>
  /** Who takes over connections that begin with a role; true when it does. */
  readonly roles?: Partial<Readonly<Record<Role, (opened: OpenedWithRole) => boolean>>>
  /** Called with a bug or a system failure while serving. */
  readonly onFailure: (error: unknown) => void
}

/** A connection, and by which way it came. */
export interface Came {
  readonly connection: Connection
  readonly way: Way
}
