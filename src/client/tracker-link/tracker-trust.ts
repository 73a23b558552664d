// Which key each tracker has: by the list, else as this client was told to trust it when it first came there
// (`known_trackers` in its data folder, as ssh has known_hosts).

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatAddress, type Address } from '../../common/addresses.ts'
import { replaceFileSync } from '../../common/data-folder.ts'
import { Failure, sentenceOf, systemCode } from '../../common/failure.ts'
import { fingerprintOf } from '../../common/security/identity.ts'
import { readTrackerInfo, type ListedTracker } from '../../common/tracker-info.ts'
import { TrackerProblem } from './tracker-problem.ts'

const fileName = 'known_trackers'

export class TrackerTrust {
  readonly #path: string
  /** Fingerprints by address. */
  readonly #listed = new Map<string, string>()
  readonly #known: Map<string, string>

  /** Throws a `data` failure when what is remembered cannot be read. */
  constructor(folder: string, list: readonly ListedTracker[]) {
    this.#path = join(folder, fileName)
    for (const tracker of list) {
      if (tracker.pin !== undefined) this.#listed.set(formatAddress(tracker), tracker.pin)
    }
    this.#known = readKnown(this.#path)
  }

  /** The fingerprint that the tracker must have; undefined for one that was never met. */
  pinOf(address: Address): string | undefined {
    const name = formatAddress(address)
    return this.#listed.get(name) ?? this.#known.get(name)
  }

  /** Undefined when it is the tracker that is expected there. */
  check(address: Address, key: string | undefined): Failure | undefined {
    if (key === undefined)
      return new TrackerProblem(
        'not-a-tracker',
        `what listens at ${formatAddress(address)} is not a Coterie tracker`,
      )
    const [shown, pin] = [fingerprintOf(key), this.pinOf(address)]
    if (shown === pin) return undefined
    const name = formatAddress(address)
    if (pin === undefined)
      return new TrackerProblem(
        'another-key',
        `the tracker ${name} is not known here; if it printed ${shown} at its start, add that to its line: ${name} ${shown}`,
      )
    const where = this.#listed.has(name) ? 'the list' : this.#path
    return new TrackerProblem(
      'another-key',
      `the tracker ${name} has another key: ${shown} instead of ${pin}; somebody may be in between; if it was set up anew, change ${where}`,
    )
  }

  /** From now on the tracker has to have this key. Throws a `data` failure when that cannot be remembered. */
  remember(address: Address, key: string): void {
    this.#known.set(formatAddress(address), fingerprintOf(key))
    const lines = Array.from(this.#known, ([name, pin]) => `${name} ${pin}\n`)
    try {
      replaceFileSync(
        this.#path,
        `# The keys of trackers that this client was told to trust.\n${lines.join('')}`,
      )
    } catch (error) {
      throw new Failure('data', `cannot write ${this.#path}: ${sentenceOf(error)}`, error)
    }
  }
}

function readKnown(path: string): Map<string, string> {
  let list: ListedTracker[]
  try {
    list = readTrackerInfo(path, (file) => readFileSync(file, 'utf8'))
  } catch (error) {
    const { cause } = error as Failure
    if (systemCode(cause) === 'ENOENT') return new Map()
    throw new Failure('data', `${sentenceOf(error)}; move it away to be asked again`, error)
  }
  return new Map(
    list.flatMap((tracker) => (tracker.pin === undefined ? [] : [[formatAddress(tracker), tracker.pin]])),
  )
}
