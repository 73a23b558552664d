// What an attack works with: where the programs are, what it may do, and what it has found.

import type { ListeningTracker } from '../../integration/listened-world.ts'

/** A file that Ann shares in a group of hers. */
export interface SharedFile {
  readonly group: string
  readonly name: string
  readonly fileId: string
  readonly sizeBytes: number
}

/** The programs that are attacked. Passed to hostile programs as JSON. */
export interface Scene {
  readonly tracker: ListeningTracker
  /** Where Ann's client takes connections. */
  readonly seederPort: number
  /** Mallory is a member of its group, as Ben is. */
  readonly film: SharedFile
  /** In a group that only Ann is in. */
  readonly diary: SharedFile
  /** Its group belongs to Olga, who does what an attack tells her. */
  readonly loose: SharedFile
  /** Links of Ann's for guests to the film: one that a hostile guest was given, and one that she took back. */
  readonly guests: { readonly given: string; readonly revoked: string }
  /** Where the content of the film is. */
  readonly filmPath: string
  /** Has a folder for each hostile user, with the key. */
  readonly folder: string
}

/** Of Ann and Ben, whom honest programs serve. */
export const honestPassword = 'correct horse battery staple'
/** Of all others. */
export const hostilePassword = 'a hostile password'

/** What an attack has tried, and what it got. Passed from hostile programs as JSON. */
export interface Outcome {
  readonly tried: number
  /** How it was answered, and how often. */
  readonly answers: Readonly<Record<string, number>>
  /** What it must not get. */
  readonly got: readonly string[]
  /** What else there is to know, for people. */
  readonly facts: readonly string[]
}

const gotShown = 5

export class Findings {
  #tried = 0
  readonly #answers = new Map<string, number>()
  readonly #got = new Set<string>()
  readonly #facts = new Map<string, string>()

  onTried(count = 1): void {
    this.#tried += count
  }

  /** `answer`: the code of a refusal, or a few words. */
  onAnswer(answer: string): void {
    this.#answers.set(answer, (this.#answers.get(answer) ?? 0) + 1)
  }

  /** It got what it must not. */
  onGot(what: string): void {
    if (this.#got.size < gotShown) this.#got.add(what)
  }

  /** The last value counts. */
  note(what: string, value: string): void {
    this.#facts.set(what, value)
  }

  /** How often it was answered so. */
  answered(answer: string): number {
    return this.#answers.get(answer) ?? 0
  }

  get outcome(): Outcome {
    return {
      tried: this.#tried,
      answers: Object.fromEntries(this.#answers),
      got: [...this.#got],
      facts: Array.from(this.#facts, ([what, value]) => `${what} ${value}`),
    }
  }
}

/** One attack while it lasts. */
export interface Battle {
  readonly scene: Scene
  readonly findings: Findings
  /** Resolves when the attack has to end. */
  readonly over: Promise<void>
  /** Whether to try once more. */
  readonly goesOn: () => boolean
  /** The attack is under way: from here on it is measured what others notice. */
  readonly begun: () => void
}

/** Who attacks, as docs/security.md calls them. */
export type Attacker =
  | 'an outsider'
  | 'a user who is no member'
  | 'a member'
  | 'a former member'
  | 'whoever runs the tracker'
  | 'a listener'
  | 'a guest'
  | 'somebody in between'

export interface Attack {
  readonly name: string
  readonly attacker: Attacker
  /** What one try is: `connections`, `guesses`. */
  readonly unit: string
  readonly run: (battle: Battle) => Promise<void>
  /** He takes a share of what guests get, as he may: how long another guest waits is told, and not judged. */
  readonly takesFromGuests?: true
  /** What an operator types at the tracker before it, and after it. */
  readonly before?: readonly string[]
  readonly after?: readonly string[]
}
