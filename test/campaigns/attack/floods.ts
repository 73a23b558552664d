// A member who asks the tracker for as much as it takes, on as many connections as he may have.

import { makeNonce } from '../../../src/common/security/challenge.ts'
import { requestsInFlightMax } from '../../../src/common/limits.ts'
import type { TestClient } from '../../tracker/support/test-client.ts'
import type { Attack, Battle } from './battle.ts'
import { codeOf, greeted, identityOf, loggedIn } from './callers.ts'

/** Not one of those who change something in another attack: his quotas will be used up. */
const user = 'moriarty'
const connections = 40
/** Hardly any answer, and all that a line can take to be parsed. */
const dearParams = Array.from({ length: 21_000 }, () => [])

/** By what he asks for: one request. */
const requests: Readonly<Record<string, (client: TestClient, battle: Battle) => Promise<string>>> = {
  peers: (client, { scene }) => {
    const { group, name } = scene.film
    return codeOf(client.request('find_file', { group, name }))
  },
  'pages past the end': (client) => codeOf(client.request('list_groups', { after: '~' })),
  'groups that are not there': (client) => codeOf(client.change('join_group', { group: 'nowhere' })),
  'lines that are dear to read': (client) => codeOf(client.request('ping', dearParams)),
  changes: async (client) => {
    const group = `x${makeNonce().replaceAll(/[-_]/g, 'x').slice(0, 20)}`
    await codeOf(client.change('create_group', { group }))
    return codeOf(client.change('leave_group', { group }))
  },
}

async function flood(
  battle: Battle,
  ask: (client: TestClient, battle: Battle) => Promise<string>,
): Promise<void> {
  const { scene, findings, goesOn, begun } = battle
  // The first login derives the keys for all.
  const first = await loggedIn(scene, user)
  const open = new Set([first])
  const attack = async (client: TestClient): Promise<void> => {
    const one = async (): Promise<void> => {
      while (goesOn() && client.closed === undefined) {
        findings.onTried()
        findings.onAnswer(await ask(client, battle))
      }
    }
    await Promise.all(Array.from({ length: requestsInFlightMax }, one))
  }
  const fight = async (client?: TestClient): Promise<void> => {
    if (client !== undefined) await attack(client)
    while (goesOn()) {
      const next = await loggedIn(scene, user).catch(() => undefined)
      if (next === undefined) continue
      open.add(next)
      await attack(next)
    }
  }
  begun()
  const fights = Array.from({ length: connections }, (_, index) => fight(index === 0 ? first : undefined))
  await battle.over
  for (const client of open) client.caller.close()
  await Promise.all(fights)
}

/** Logins that end where the tracker has done its part. */
async function halfLogins({ scene, findings, goesOn, begun }: Battle): Promise<void> {
  begun()
  const one = async (): Promise<void> => {
    while (goesOn()) {
      const client = await greeted(scene, identityOf(scene, user)).catch(() => undefined)
      if (client === undefined) continue
      findings.onTried()
      const clientFirst = `p=tls-exporter,,n=${user},r=${makeNonce()}`
      for (let count = 0; count < requestsInFlightMax && goesOn(); count++)
        findings.onAnswer(await codeOf(client.request('login_start', { clientFirst })))
      client.caller.close()
    }
  }
  await Promise.all(Array.from({ length: connections }, one))
}

export const floods: readonly Attack[] = [
  ...Object.entries(requests).map(([what, ask]) => ({
    name: `a member who floods the tracker: ${what}`,
    attacker: 'a member' as const,
    unit: 'requests',
    run: (battle: Battle) => flood(battle, ask),
  })),
  { name: 'logins begun and left', attacker: 'an outsider', unit: 'connections', run: halfLogins },
]
