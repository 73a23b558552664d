// Puts outcomes into words: a refusal code for the wire, and a sentence for people.

import { accept, isRefusalCode, refuse, type Answer, type RefusalCode } from '../../common/refusal.ts'
import { reasons, type Found, type No, type Reason } from '../state/outcomes.ts'
import { isQuotaName, quotaTable } from '../state/quotas.ts'

type Words = readonly [code: RefusalCode, sentence: string]

const words: Readonly<Record<Reason, (...args: string[]) => Words>> = {
  'user-taken': (user) => ['user-taken', `there is already a user ${user}`],
  'no-such-user': (user) => ['no-such-user', `there is no user ${user}`],
  'group-taken': (group) => ['group-taken', `there is already a group ${group}`],
  'no-such-group': (group) => ['no-such-group', `there is no group ${group}`],
  'you-are-member': (group) => ['already-member', `you are already a member of ${group}`],
  'is-member': (user, group) => ['already-member', `${user} is already a member of ${group}`],
  'already-requested': (group) => ['already-requested', `you have already asked to join ${group}`],
  'no-such-request': (user, group) => ['no-such-request', `${user} has not asked to join ${group}`],
  'you-are-no-member': (group) => ['not-a-member', `you are not a member of ${group}`],
  'is-no-member': (user, group) => ['not-a-member', `${user} is not a member of ${group}`],
  'not-the-owner': (group) => ['not-the-owner', `only the owner of ${group} may do this`],
  'you-own-it': (group) => ['usage', `you own ${group}; to leave it, use leave_group`],
  'no-such-file': (name, group) => ['no-such-file', `there is no file ${name} in ${group}`],
  'not-shared': (name, group) => ['not-shared', `you do not share ${name} in ${group}`],
  'name-taken': (group, name, user) => [
    'name-taken',
    `${group} has another file called ${name}, shared by ${user}; rename yours`,
  ],
  'other-size': (name, group) => ['name-taken', `${name} in ${group} has another size`],
  'over-quota': (name = '', max) => [
    'over-quota',
    `the limit of ${isQuotaName(name) ? quotaTable[name].meaning : name} is reached (${max}); whoever runs the trackers can raise it`,
  ],
  'no-such-tracker': (key) => ['usage', `there is no tracker ${key}`],
  'last-tracker': () => ['usage', 'this is the only tracker; without one nobody could log in'],
  'cannot-save': () => ['unavailable', 'the tracker cannot save changes at the moment; try again later'],
  'too-busy': () => ['busy', 'the tracker has too much to do at the moment; try again later'],
  'too-late': () => [
    'unavailable',
    'this came too late; check whether it was done, and try again if it was not',
  ],
  'login-ended': () => ['unavailable', 'this login has ended; log in again'],
  'not-yet': () => ['invalid-request', 'this is possible when all trackers of the community are updated'],
  'wrong-code': () => [
    'wrong-code',
    'this code is wrong, used up or too old; ask whoever runs the trackers for another',
  ],
  'not-invited': () => [
    'not-invited',
    'new users need a code here: create_user <user> --invite <code>; ask whoever runs the trackers for one',
  ],
  'registration-closed': () => [
    'registration-closed',
    'no new users are accepted here at the moment; ask whoever runs the trackers',
  ],
  'too-many-invites': (max) => [
    'over-quota',
    `${max} invitations are not used yet; the oldest expire within a week`,
  ],
  'was-refused': (reason = '') => [codeOf(reason), 'this was refused the first time; try again'],
  'as-was-said': (code = '', sentence = '') => [isRefusalCode(code) ? code : 'unavailable', sentence],
}

function isReason(text: string): text is Reason {
  return reasons.some((reason) => reason === text)
}

function codeOf(reason: string): RefusalCode {
  return isReason(reason) ? words[reason]()[0] : 'busy'
}

export function wordsOf({ reason, args }: No): Words {
  return words[reason](...args.map(String))
}

/** As an answer for the wire. */
export function answerOf<T>(outcome: Found<T>): Answer<T> {
  return outcome.ok ? accept(outcome.value) : refuse(...wordsOf(outcome))
}
