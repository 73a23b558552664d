// Short ways to say what happens to a state, for tests.

import { answerOf } from '../../../src/tracker/requests/sentences.ts'
import { apply, type Applied } from '../../../src/tracker/state/apply.ts'
import type {
  AddInvite,
  At,
  Command,
  IssueReset,
  RemoveUser,
  SetRegistration,
  UserCommand,
} from '../../../src/tracker/state/commands.ts'
import { emptyState } from '../../../src/tracker/state/empty-state.ts'
import { newestLevel } from '../../../src/tracker/state/levels.ts'
import type { State } from '../../../src/tracker/state/state.ts'

export const credentials = { salt: 'c2FsdA==', iterations: 100_000, storedKey: 'stored', serverKey: 'server' }

/** A command without its id: each gets a fresh one. */
export type Wish = WithoutId<Command>
/** What users wish. */
export type UserWish = WithoutId<UserCommand>
/** What users wish, and operators for them. */
export type ModelWish = UserWish | SetRegistration | AddInvite | IssueReset | RemoveUser
type WithoutId<C extends Command> = C extends infer One
  ? One extends Command
    ? Omit<One, 'id'>
    : never
  : never

/** A state of this level, as a tracker begins with it. */
export function stateAt(level: number): State {
  const state = emptyState()
  if (level > 1) applyNext(state, { kind: 'raise_level', level })
  return state
}

/** As the next entry of the log. */
export function applyNext(state: State, command: Command, at: Partial<At> = {}): Applied {
  return apply(state, command, { position: state.position + 1, atMs: 0, from: undefined, ...at })
}

export class World {
  readonly state: State
  #nextId = 0

  constructor(level = newestLevel) {
    this.state = stateAt(level)
  }

  do(wish: Wish, at: Partial<At> = {}): Applied {
    return applyNext(this.state, { id: `id-${this.#nextId++}`, ...wish } as Command, at)
  }

  /** Like `do`, for what must succeed. */
  done(...wishes: Wish[]): this {
    for (const wish of wishes) {
      const answer = this.answer(wish)
      if (answer !== 'done') throw new Error(`${wish.kind}: ${answer}`)
    }
    return this
  }

  /** The code and the sentence of a refusal; "done" for none. */
  answer(wish: Wish, at: Partial<At> = {}): string {
    const answer = answerOf(this.do(wish, at).outcome)
    return answer.ok ? 'done' : `${answer.refusal.code}: ${answer.refusal.sentence}`
  }

  /** With the names of members for the members. */
  effects(wish: Wish): object[] {
    return this.do(wish).effects.map((effect) =>
      'members' in effect ? { ...effect, members: Array.from(effect.members, ({ name }) => name) } : effect,
    )
  }
}

export function register(user: string): UserWish {
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

export function share(by: string, fileId = 'one', name = 'f'): UserWish {
  return { kind: 'share_file', by, group: 'g', name, fileId, sizeBytes: 10 }
}
