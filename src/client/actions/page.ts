// The page of this client, which is served by whoever made the client.

import { refuse, type Answer } from '../../common/refusal.ts'
import type { PageOperations } from '../operations.ts'
import type { ContentReading } from '../readable-content.ts'
import type { Core } from './core.ts'
import { readingOf } from './reading.ts'

export interface PageParts {
  /** Serves the page, which reads what is shared and downloaded here; undefined where there is none. */
  readonly showPage?:
    ((port: number | undefined, reading: ContentReading) => Promise<Answer<{ link: string }>>) | undefined
}

export function pageActions(core: Core, { showPage }: PageParts): PageOperations {
  const reading = readingOf(core)
  return {
    showPage: async (port) => showPage?.(port, reading) ?? refuse('unavailable', 'this client has no page'),
  }
}
