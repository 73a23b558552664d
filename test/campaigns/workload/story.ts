// What happens to one group: random commands, one after the other, of three users. No other story touches the group, so
// a plain model of the rules predicts each answer and the final state: whatever was lost, done twice or half done shows
// in one or the other.

import { PlainModel } from '../../tracker/state/plain-model.ts'
import type { UserWish } from '../../tracker/state/world.ts'
import { passwordNamed, passwords, placeholderOf, type Password } from './passwords.ts'
import { commandId } from './speaker.ts'

/** A command that was issued: a line of the ledger. */
export interface Step {
  readonly id: string
  readonly wish: StoryWish
  /** "done" or the code of a refusal, by the model. */
  readonly expected: string
  /** Undefined without an answer: then it is unknown whether it had an effect. */
  answer: string | undefined
  /** How often it was sent, under the same id. */
  tries: number
  /** The newcomer's before it. */
  readonly password?: Password | undefined
  /** Of a login of the newcomer's before it: good until the password changes, or the account ends. */
  session?: string
}

/** A change of the account of a story's newcomer. */
export type NewcomersWish = Extract<UserWish, { kind: 'register' | 'change_password' | 'delete_account' }>
export type StoryWish = Extract<UserWish, { group: string }> | NewcomersWish

export function isNewcomers(wish: StoryWish): wish is NewcomersWish {
  return !('group' in wish)
}

export const fileNames = ['f', 'e']
const fileIds = ['1'.repeat(64), '2'.repeat(64)]
const sizeBytes = 10

/** Most commands of a story have an effect; the others show that refusals are remembered too. */
const refusedShare = 0.15
const stepsMin = 6
const stepsMax = 18
/** In most groups everybody leaves in the end, so that the state stays small however long a campaign is. */
const dissolvedShare = 0.8
const hiddenShare = 0.1

export class Story {
  readonly group: string
  /** The first one creates the group. */
  readonly actors: readonly string[]
  /** A user who may come, change passwords, go and come again during the story, and is in no group. */
  readonly newcomer: string
  readonly steps: Step[] = []
  readonly #random: () => number
  readonly #newcomersWeight: number
  readonly #stepsBeforeEnd: number
  readonly #isDissolved: boolean
  readonly #model: PlainModel

  /** `newcomersWeight`: how many times as likely a change of the newcomer's account is as one of another kind. */
  constructor(group: string, actors: readonly string[], random: () => number, newcomersWeight = 1) {
    this.group = group
    this.actors = actors
    this.newcomer = `new-${group}`
    this.#random = random
    this.#newcomersWeight = newcomersWeight
    this.#stepsBeforeEnd = stepsMin + Math.floor(random() * (stepsMax - stepsMin))
    this.#isDissolved = random() < dissolvedShare
    this.#model = this.modelBefore()
  }

  /**
   * The next command; undefined when the story is over. It ends early after a command without an answer, since nothing
   * is certain then, and after a wrong answer.
   */
  next(): Step | undefined {
    const last = this.steps.at(-1)
    if (last !== undefined && last.answer !== last.expected) return undefined
    const wish = this.#nextWish()
    if (wish === undefined) return undefined
    const password = passwordOf(this.#model, this.newcomer)
    const expected = this.#model.do(wish)
    const step: Step = { id: commandId(), wish, expected, answer: undefined, tries: 0, password }
    this.steps.push(step)
    return step
  }

  /** The world of this story before its first step. */
  modelBefore(): PlainModel {
    const model = new PlainModel()
    model.users.push(...this.actors)
    return model
  }

  #nextWish(): StoryWish | undefined {
    if (this.steps.length === 0) {
      return this.#creation(this.actors[0] ?? '')
    }
    if (this.steps.length >= this.#stepsBeforeEnd) {
      const by = this.#isDissolved ? this.#model.ownerOf(this.group) : undefined
      return by === undefined ? undefined : { kind: 'leave_group', by, group: this.group }
    }
    let wish = this.#anyWish()
    while (this.#random() > refusedShare && copyOf(this.#model).do(wish) !== 'done') wish = this.#anyWish()
    return wish
  }

  #anyWish(): StoryWish {
    const [by, user] = [this.#pick(this.actors), this.#pick(this.actors)]
    const file = { name: this.#pick(fileNames), fileId: this.#pick(fileIds), sizeBytes }
    const { group } = this
    const ofNewcomer = (): StoryWish => this.#newcomersWish()
    return this.#pick<() => StoryWish>([
      ...Array.from({ length: this.#newcomersWeight }, () => ofNewcomer),
      () => this.#creation(by),
      () => ({ kind: 'join_group', by, group }),
      () => ({ kind: 'join_group', by, group }),
      () => ({ kind: 'accept_request', by, group, user }),
      () => ({ kind: 'accept_request', by, group, user }),
      () => ({ kind: 'reject_request', by, group, user }),
      () => ({ kind: 'leave_group', by, group }),
      () => ({ kind: 'remove_member', by, group, user }),
      () => ({ kind: 'share_file', by, group, ...file }),
      () => ({ kind: 'share_file', by, group, ...file }),
      () => ({ kind: 'unshare_file', by, group, name: file.name }),
    ])()
  }

  #creation(by: string): StoryWish {
    const creation = { kind: 'create_group', by, group: this.group } as const
    return this.#random() < hiddenShare ? { ...creation, hidden: true } : creation
  }

  /**
   * Only who exists can prove a password. Accounts end less often than passwords change: a registration that is on its
   * way to the log then has to be tried again.
   */
  #newcomersWish(): StoryWish {
    const by = this.newcomer
    const credentials = placeholderOf(this.#pick(passwords))
    const register = (): StoryWish => ({ kind: 'register', user: by, credentials })
    if (!this.#model.users.includes(by)) return register()
    const change = (): StoryWish => ({ kind: 'change_password', by, credentials })
    const end = (): StoryWish => ({ kind: 'delete_account', by })
    return this.#pick([register, change, change, end])()
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T
  }
}

/** Undefined for a user that does not exist. */
export function passwordOf({ passwords }: PlainModel, user: string): Password | undefined {
  const name = passwords.get(user)
  return name === undefined ? undefined : passwordNamed(name)
}

function copyOf(model: PlainModel): PlainModel {
  const copy = new PlainModel()
  copy.users = [...model.users]
  copy.passwords = new Map(model.passwords)
  copy.groups = [...model.groups]
  copy.hidden = new Set(model.hidden)
  copy.memberships = [...model.memberships]
  copy.asks = [...model.asks]
  copy.shares = [...model.shares]
  return copy
}
