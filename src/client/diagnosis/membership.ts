// Why a group or an entry is not there for a user who neither fetches nor shares it. Pure.

import type { Standing } from '../../common/protocol/listings.ts'
import type { Refusal } from '../../common/refusal.ts'
import { finding, type Finding } from './reasons.ts'

/** `standing`: undefined for a group that is not listed to this user. Nothing when the user is a member. */
export function whyNotIn(group: string, standing: Standing | undefined): Finding[] {
  if (standing === undefined)
    return [finding('no-such-group', `there is no group ${group}, or it is hidden from you`)]
  if (standing === 'requested')
    return [finding('not-approved', `the owner of ${group} has not let you in yet`)]
  return standing === 'none' ? [finding('not-a-member', `you are not a member of ${group}`)] : []
}

/** An entry of a group of the user's. `seeders`: those online that have the whole file. */
export function whyNotHere(name: string, found: { seeders: readonly string[] } | Refusal): Finding[] {
  if ('code' in found) return [finding('no-such-file', found.sentence)]
  const notStarted = finding('not-started', `you neither fetch nor share ${name} here`)
  if (found.seeders.length > 0) return [notStarted]
  return [
    notStarted,
    finding('no-seeder', 'nobody who has the file is online; who was online last is not known'),
  ]
}
