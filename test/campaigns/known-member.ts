// A member whose client is restarted often: each of its logins costs a sixth of the usual.

import { join } from 'node:path'
import { group, type Arena } from '../../bench/arena.ts'
import { parseAddress } from '../../src/common/addresses.ts'
import type { Program } from '../../src/demo/program.ts'
import { register, remember } from '../integration/accounts.ts'

/** The client of a new member, logged in, as `Arena.startMember` starts others. */
export async function startKnownMember(arena: Arena, owner: Program, user: string): Promise<Program> {
  const community = await register(parseAddress(arena.trackerAddress), user, 'bench')
  await remember(join(arena.folder, user), community, user, 'bench')
  const client = await arena.restartMember(user)
  await client.say(`join_group ${group}`)
  const reply = `${user} is now a member of ${group}`
  await owner.say(`accept_request ${group} ${user}`, (line) => line === reply)
  return client
}
