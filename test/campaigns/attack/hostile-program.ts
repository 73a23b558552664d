// node --import tsx test/campaigns/attack/hostile-program.ts '<Order as JSON>'
// Carries out one attack until its parent says stop, then tells the parent what came of it. A program of its own, so
// that its processor time is nobody else's.

import { attacks } from './attacks.ts'
import { Findings, type Scene } from './battle.ts'

/** What the parent passes. */
export interface Order {
  /** The name of an attack. */
  readonly attack: string
  readonly scene: Scene
}

const order = JSON.parse(process.argv[2] ?? '{}') as Order
const attack = attacks.find(({ name }) => name === order.attack)
if (attack === undefined) throw new Error(`there is no attack ${order.attack}`)

let isOver = false
const over = new Promise<void>((resolve) => {
  process.once('message', () => {
    isOver = true
    resolve()
  })
})
const findings = new Findings()
await attack.run({
  scene: order.scene,
  findings,
  over,
  goesOn: () => !isOver,
  begun: () => process.send?.('begun'),
})
// Connections that are left do not keep it.
process.send?.(findings.outcome, () => process.kill(process.pid, 'SIGKILL'))
