// All that the page knows, as one value that is replaced when something changes, and the changes that are more than a
// field. Pure: what is shown follows from it, and what is asked next follows from what is shown.

import type { Check } from '../../client/diagnosis/checks.ts'
import type { Finding } from '../../client/diagnosis/reasons.ts'
import type {
  ClientEvent,
  DownloadView,
  EntryView,
  HashingView,
  LimitRule,
  UploadView,
} from '../../client/operations.ts'
import type { GuestPlace, LinkView, MadeLink } from '../../client/link-operations.ts'
import type { SubscriptionView } from '../../client/subscription-operations.ts'
import type { EntryVersion, FileEntry, GroupEntry } from '../../common/protocol/listings.ts'
import type { TreeEntry } from '../../common/tree/tree.ts'
import type { Route } from './routes.ts'

/** `refused`: the client does not tell this tab anything; mostly it does not know the browser. */
export type Connection = 'connecting' | 'open' | 'lost' | 'refused'

/** A group that is looked at. */
export interface GroupDetails {
  readonly group: string
  readonly members: readonly string[] | undefined
  /** Of the owner alone. */
  readonly requests: readonly string[]
  readonly entries: readonly FileEntry[] | undefined
  /** False while more entries are on their way. */
  readonly isWhole: boolean
  /** Why nothing is listed. */
  readonly problem?: string | undefined
}

/** An entry that is looked at. */
export interface EntryDetails {
  readonly group: string
  readonly name: string
  /** As the group lists it. */
  readonly listed: FileEntry | undefined
  /** Undefined while it is neither shared nor downloaded here. */
  readonly view: EntryView | undefined
  readonly versions: readonly EntryVersion[]
  /** What is in a folder. */
  readonly files: readonly TreeEntry[] | undefined
  /** Of a text that is looked at. */
  readonly text?: string | undefined
}

/** All transfers together at a moment. */
export interface RateSample {
  /** In seconds since 1970. */
  readonly atSeconds: number
  readonly bytesInPerSecond: number
  readonly bytesOutPerSecond: number
}

/** Something that happened, and when. */
export interface ToldEvent {
  readonly number: number
  readonly atMs: number
  readonly event: ClientEvent
}

/** A file that was dropped into the page, and waits or is being copied. */
export interface DroppedFile {
  readonly group: string
  readonly name: string
  readonly sizeBytes: number
  readonly bytesDone: number
}

/** What is asked of the person before something is done, or told them in a window of its own. */
export type OpenDialog =
  | {
      readonly kind: 'question'
      readonly title: string
      readonly sentence: string
      readonly yes: string
      readonly onYes: () => void
    }
  | { readonly kind: 'why'; readonly title: string; readonly findings: readonly Finding[] | undefined }

export interface PageState {
  readonly route: Route
  readonly connection: Connection
  /** What allows this tab to be told, where it was refused. */
  readonly whyRefused: string
  readonly program: string
  /** For the addresses of files. */
  readonly fileKey: string
  readonly user: string | undefined
  readonly groups: readonly GroupEntry[] | undefined
  readonly group: GroupDetails | undefined
  /** Letters that the names of entries have to contain. */
  readonly wanted: string
  readonly entry: EntryDetails | undefined
  readonly downloads: readonly DownloadView[]
  readonly hashing: readonly HashingView[]
  readonly uploads: readonly UploadView[]
  readonly limits: readonly LimitRule[]
  readonly subscriptions: readonly SubscriptionView[] | undefined
  /** For guests; undefined before they were asked for. */
  readonly links: readonly LinkView[] | undefined
  /** One that was just made: its secret is shown until the view is left, and never again. */
  readonly madeLink: MadeLink | undefined
  /** Where guests are served, if they are; undefined before it was asked. */
  readonly guests: { readonly place: GuestPlace | undefined } | undefined
  /** Of what this client needs to work; undefined before it was looked at. */
  readonly checks: readonly Check[] | undefined
  /** Files that are being copied into the folder for that. */
  readonly drops: readonly DroppedFile[]
  /** The latest first. */
  readonly events: readonly ToldEvent[]
  /** The oldest first. */
  readonly samples: readonly RateSample[]
  /** What was done last, for those who hear the page. */
  readonly said: string
  /** Why it was not done. */
  readonly refused: string
  /** What was asked for and is not answered yet. */
  readonly pending: ReadonlySet<string>
  readonly dialog: OpenDialog | undefined
  /** Where the last download went: the next one probably goes there too. */
  readonly destination: string
  /** Where dropped files are copied to; empty for the folder that the client has for that. */
  readonly dropFolder: string
}

/** Ten minutes of one a second. */
export const samplesMax = 600
const eventsMax = 500

export function initialState(route: Route): PageState {
  return {
    route,
    connection: 'connecting',
    whyRefused: '',
    program: '',
    fileKey: '',
    wanted: '',
    guests: undefined,
    checks: undefined,
    drops: [],
    events: [],
    samples: [],
    said: '',
    refused: '',
    pending: new Set(),
    dialog: undefined,
    destination: '',
    dropFolder: '',
    ...ofUser(undefined),
  }
}

/** What belongs to a user: nothing of it stays when another one logs in. */
function ofUser(
  user: string | undefined,
): Pick<
  PageState,
  | 'user'
  | 'groups'
  | 'group'
  | 'entry'
  | 'downloads'
  | 'hashing'
  | 'uploads'
  | 'limits'
  | 'subscriptions'
  | 'links'
  | 'madeLink'
> {
  return {
    user,
    groups: undefined,
    group: undefined,
    entry: undefined,
    downloads: [],
    hashing: [],
    uploads: [],
    limits: [],
    subscriptions: undefined,
    links: undefined,
    madeLink: undefined,
  }
}

export function withUser(state: PageState, user: string | undefined): PageState {
  return user === state.user ? state : { ...state, ...ofUser(user), dialog: undefined }
}

/** Another view: what the last one said is over, and so are its group and entry where they are others. */
export function withRoute(state: PageState, route: Route): PageState {
  const group = 'group' in route ? route.group : undefined
  const keepsEntry =
    route.view === 'entry' && state.entry?.group === route.group && state.entry.name === route.name
  const keepsGroup = state.group?.group === group
  return {
    ...state,
    route,
    group: keepsGroup ? state.group : undefined,
    wanted: keepsGroup ? state.wanted : '',
    entry: keepsEntry ? state.entry : undefined,
    // One whose answer came elsewhere was not seen yet.
    madeLink: showsMadeLink(state) ? undefined : state.madeLink,
    refused: '',
    dialog: undefined,
  }
}

/** In the view of what the link leads to, and in that of all links. */
export function showsMadeLink({ route, madeLink }: Pick<PageState, 'route' | 'madeLink'>): boolean {
  if (madeLink === undefined) return false
  const { group, name } = madeLink
  return route.view === 'links' || (route.view === 'entry' && route.group === group && route.name === name)
}

/** `atMs`: since 1970. */
export function withEvent(state: PageState, event: ClientEvent, atMs: number): PageState {
  const next = event.kind === 'user-changed' ? withUser(state, event.user) : state
  const number = (state.events[0]?.number ?? 0) + 1
  return { ...next, events: [{ number, atMs, event }, ...next.events].slice(0, eventsMax) }
}

/** Of downloads that end there can be thousands at a time, and they change no list but that of transfers. */
export function changesLists({ kind }: ClientEvent): boolean {
  return kind !== 'download-complete' && kind !== 'download-failed' && kind !== 'notice'
}

/** The transfers as they are now, and what they come to. `atSeconds`: since 1970. */
export function withTransfers(
  state: PageState,
  downloads: readonly DownloadView[],
  uploads: readonly UploadView[],
  atSeconds: number,
): PageState {
  const sample = {
    atSeconds,
    bytesInPerSecond: sumOfRates(downloads.filter(({ state: now }) => now === 'running')),
    bytesOutPerSecond: sumOfRates(uploads),
  }
  const samples = [...state.samples, sample].slice(-samplesMax)
  return { ...state, downloads, uploads, samples }
}

function sumOfRates(transfers: readonly { readonly bytesPerSecond: number }[]): number {
  return transfers.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0)
}
