// All swarms, by group, name and file id. Not by one key made of these: to make and hash such a text for every row of a
// listing takes longer than to look three times.

import type { FileVersion } from '../../common/protocol/fields.ts'
import type { Swarm } from './swarm.ts'

export class SwarmTable {
  /** By group and name; hardly ever more than one version of a file. */
  readonly #groups = new Map<string, Map<string, Swarm[]>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get({ group, name, fileId }: FileVersion): Swarm | undefined {
    const swarms = this.#groups.get(group)?.get(name)
    return swarms?.find(({ version }) => version.fileId === fileId)
  }

  add(swarm: Swarm): void {
    const { group, name } = swarm.version
    const names = this.#groups.get(group) ?? new Map<string, Swarm[]>()
    this.#groups.set(group, names)
    const swarms = names.get(name)
    if (swarms === undefined) names.set(name, [swarm])
    else swarms.push(swarm)
    this.#size++
  }

  delete(swarm: Swarm): void {
    const { group, name } = swarm.version
    const names = this.#groups.get(group)
    const swarms = names?.get(name) ?? []
    const place = swarms.indexOf(swarm)
    if (names === undefined || place === -1) return
    swarms.splice(place, 1)
    this.#size--
    if (swarms.length === 0) names.delete(name)
    if (names.size === 0) this.#groups.delete(group)
  }
}
