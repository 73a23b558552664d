// Takes of what is here what it has of a new content, while the rest is fetched: copies the pieces that both have, unless
// they can be lent, and puts others together. Each counts when it has the hashes of the piece; the swarm hears of it, or asks for it then.

import { setTimeout } from 'node:timers/promises'
import { Failure } from '../../common/failure.ts'
import { pieceCount } from '../../common/pieces.ts'
import { inSlices } from '../folder/in-slices.ts'
import type { RecipePool } from '../workers/recipe-pool.ts'
import { missingOf, type Donor, type FoundParts } from './donor.ts'
import type { KnownBlocks } from './known-blocks.ts'
import type { LentPieces } from './lent-pieces.ts'
import type { PieceStore } from './piece-store.ts'
import type { RecipeFetch } from './recipe-fetch.ts'
import { fewPieces, storeFromHere, type PiecesHere } from './store-from-here.ts'
import type { Swarm } from './swarm.ts'

/** Workers that were started for what is looked for hear so often that it still comes, or they would end. */
const stillExpectedMs = 250
/** Copying waits so long for the search, since others wait for what that finds missing. */
const patienceMs = 2000

export interface TakingParts {
  readonly donor: Donor
  readonly store: PieceStore
  /** Where pieces can be lent: makes what lends these, each with its place in the donor. */
  readonly lend: ((places: ReadonlyMap<number, number>) => LentPieces) | undefined
  /** Closed when it is not needed any more. */
  readonly recipe: RecipeFetch
  readonly pool: RecipePool
  readonly signal: AbortSignal
  /** The donor's path, for people. */
  readonly from: string
  onNotice(sentence: string): void
}

/** What the donor has of the pieces that are missing. */
interface Compared {
  /** Those that are copied, each with its place in the donor. */
  readonly same: ReadonlyMap<number, number>
  /** Where some are lent. */
  readonly lent: LentPieces | undefined
  readonly lentCount: number
  /** Those that it does not have as they are. */
  readonly rest: readonly number[]
}

export class Taking {
  /** What is here of the pieces that are fetched. Rejects with the signal's reason, or with a `file` failure. */
  readonly searched: Promise<FoundParts | undefined>
  /** Resolves when nothing more comes from here. Rejects likewise, also when the store cannot be written to. */
  readonly ended: Promise<void>
  readonly #parts: TakingParts
  readonly #stop = new AbortController()
  readonly #signal: AbortSignal
  /** Pieces that come from here. */
  readonly #coming = new Set<number>()
  #swarm: Swarm | undefined

  constructor(parts: TakingParts) {
    this.#parts = parts
    this.#signal = AbortSignal.any([parts.signal, this.#stop.signal])
    const compared = this.#compare()
    this.searched = this.#search(compared)
    this.ended = this.#take(compared).catch((error: unknown) => {
      if (!this.#stop.signal.aborted || parts.signal.aborted) throw error
    })
    // Whoever waits for them hears of it.
    for (const each of [compared, this.searched, this.ended]) each.catch(() => undefined)
  }

  /** Pieces that come from here, and are not stored yet. */
  get coming(): ReadonlySet<number> {
    return this.#coming
  }

  /** The swarm was made with `coming` of this turn. */
  onSwarm(swarm: Swarm): void {
    this.#swarm = swarm
  }

  /** Takes nothing more; resolves when nothing is written any more. */
  async stop(): Promise<void> {
    this.#stop.abort(new Failure('file', 'nothing more is needed'))
    await this.ended.catch(() => undefined)
  }

  async #compare(): Promise<Compared> {
    const { donor, store, lend } = this.#parts
    const same = await inSlices(donor.sameAs(store), this.#signal)
    const rest = missingOf(store).filter((index) => !same.has(index))
    const lent = lend && splitOff(same, (index) => index >= treePiecesOf(store))
    for (const index of same.keys()) this.#coming.add(index)
    return { same, rest, lentCount: lent?.size ?? 0, lent: lent && lend(lent) }
  }

  async #search(compared: Promise<Compared>): Promise<FoundParts | undefined> {
    const { donor, store, recipe, pool } = this.#parts
    let expecting: NodeJS.Timeout | undefined
    try {
      const { rest, lent } = await compared
      // Starting a worker takes as long as fifty pieces: it does so while they are looked for.
      const expectThem = (): void => {
        if (rest.length > fewPieces) store.expectFromHere()
      }
      expectThem()
      expecting = setInterval(expectThem, stillExpectedMs)
      const search = donor.findParts(store, rest, { recipe, pool, signal: this.#signal })
      const [found] = await Promise.all([search, lent?.begin()])
      for (const index of found?.whole ?? []) this.#coming.add(index)
      return found
    } finally {
      clearInterval(expecting)
      recipe.close()
    }
  }

  async #take(compared: Promise<Compared>): Promise<void> {
    const { from, store } = this.#parts
    const { same, lentCount, rest } = await compared
    await Promise.race([this.searched, setTimeout(patienceMs, undefined, { ref: false })])
    const taken = lentCount + (await this.#copy(same))
    const of = `${store.wantedCount} pieces of ${store.part.destination}`
    this.#parts.onNotice(`${taken} of ${of} are taken from ${from}`)
    const found = await this.searched
    if (found !== undefined) {
      this.#say(await this.#assemble(found.known, found.whole), found.partial.size)
      if (found.lookEverywhere !== undefined) this.#say(await this.#takeLate(found, rest))
    }
  }

  /** What is found only now is fetched meanwhile, so it is taken of what nobody was asked for. */
  async #takeLate({ known, lookEverywhere }: FoundParts, rest: readonly number[]): Promise<number> {
    await lookEverywhere?.()
    const { have } = this.#parts.store
    const { whole } = known.sort(rest.filter((index) => !have.has(index)))
    return this.#assemble(
      known,
      whole.filter((index) => this.#swarm?.takeHere(index)),
    )
  }

  #say(whole: number, inPart = 0): void {
    const more = inPart === 0 ? '' : `, and ${inPart} in part`
    if (whole + inPart > 0)
      this.#parts.onNotice(`${whole} more are put together from parts of ${this.#parts.from}${more}`)
  }

  async #copy(same: ReadonlyMap<number, number>): Promise<number> {
    const { donor } = this.#parts
    const placeOf = (index: number): number => same.get(index) ?? -1
    return this.#storeAll(same.keys(), same.size, {
      offsetOf: (index) => donor.offsetOf(placeOf(index)),
      fill: async (index, into) => (await donor.read(placeOf(index), into)).ok,
    })
  }

  async #assemble(known: KnownBlocks, pieces: readonly number[]): Promise<number> {
    return this.#storeAll(pieces.values(), pieces.length, {
      offsetOf: (index) => known.offsetOf(index),
      fill: (index, into) => known.assemble(index, [], into),
      onBad: (index) => known.onBad(index),
    })
  }

  /** Resolves to how many were good, when none of them is written any more. */
  #storeAll(
    pieces: Iterator<number> & Iterable<number>,
    pieceCount: number,
    source: PiecesHere,
  ): Promise<number> {
    const { store, donor } = this.#parts
    const lend: PiecesHere['lend'] = (use) => donor.lend(use)
    const onOutcome = (index: number, isGood: boolean): void => this.#onOutcome(index, isGood)
    return storeFromHere(pieces, pieceCount, {
      store,
      source: { lend, ...source },
      signal: this.#signal,
      onOutcome,
    })
  }

  #onOutcome(index: number, isGood: boolean): void {
    this.#coming.delete(index)
    if (isGood) this.#swarm?.onStoredHere(index)
    else this.#swarm?.onNotHere(index)
  }
}

/** Takes those out that fit, and returns them. */
function splitOff(
  places: Map<number, number>,
  fits: (index: number) => boolean,
): ReadonlyMap<number, number> {
  const off = new Map<number, number>()
  for (const [index, place] of places) {
    if (!fits(index)) continue
    off.set(index, place)
    places.delete(index)
  }
  return off
}

/** The first pieces, which are the tree of a folder. Whoever looks into the part file needs them there. */
function treePiecesOf({ manifest }: PieceStore): number {
  return pieceCount(manifest.folder?.treeBytes ?? 0)
}
