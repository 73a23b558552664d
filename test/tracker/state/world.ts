// Short ways to say what happens to a state, for tests.

import { apply, type Applied } from '../../../src/tracker/state/apply.ts'
import type { Command } from '../../../src/tracker/state/commands.ts'
import { emptyState, type State } from '../../../src/tracker/state/state.ts'

export const credentials = { salt: 'c2FsdA==', iterations: 100_000, storedKey: 'stored', serverKey: 'server' }

/** A command without its id: each gets a fresh one. */
export type Wish = Command extends infer C ? (C extends Command ? Omit<C, 'id'> : never) : never

export class World {
  readonly state: State
  #nextId = 0

  constructor(state = emptyState()) {
    this.state = state
  }

  do(wish: Wish): Applied {
    return apply(this.state, { id: `id-${this.#nextId++}`, ...wish } as Command)
  }

  /** Like `do`, for what must succeed. */
  done(...wishes: Wish[]): this {
    for (const wish of wishes) {
      const { outcome } = this.do(wish)
      if (!outcome.ok) throw new Error(`${wish.kind}: ${outcome.refusal.sentence}`)
    }
    return this
  }

  /** The code and the sentence of a refusal; "done" for none. */
  answer(wish: Wish): string {
    const { outcome } = this.do(wish)
    return outcome.ok ? 'done' : `${outcome.refusal.code}: ${outcome.refusal.sentence}`
  }

  effects(wish: Wish): Applied['effects'] {
    return this.do(wish).effects
  }
}

export function register(user: string): Wish {
  return { kind: 'register', user, credentials }
}

/** The members of g in this order; the first founded it. Registers them all, and zoe besides. */
export function groupOf(...members: string[]): World {
  const world = new World().done(...[...members, 'zoe'].map(register))
  const [founder, ...others] = members
  if (founder === undefined) throw new Error('a group has members')
  world.done({ kind: 'create_group', by: founder, group: 'g' })
  for (const user of others) {
    world.done({ kind: 'join_group', by: user, group: 'g' })
    world.done({ kind: 'accept_request', by: founder, group: 'g', user })
  }
  return world
}

export function share(by: string, fileId = 'one', name = 'f'): Wish {
  return { kind: 'share_file', by, group: 'g', name, fileId, sizeBytes: 10 }
}
