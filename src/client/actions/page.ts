// The page of this client, which is served by whoever made the client.

import { refuse } from '../../common/refusal.ts'
import type { PageOperations } from '../operations.ts'

export function pageActions({ showPage }: Partial<PageOperations>): PageOperations {
  return { showPage: showPage ?? (async () => refuse('unavailable', 'this client has no page')) }
}
