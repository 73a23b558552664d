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
    `${group} has another file called ${name}, shared by ${user}`,
  ],
  'other-size': (name, group) => ['name-taken', `${name} in ${group} has another size`],
  'over-quota': (name = '', max) => [
    'over-quota',
    `${isQuotaName(name) ? quotaTable[name].meaning : name}: ${max} at most; whoever runs the trackers can allow more`,
  ],
  'no-such-tracker': (key) => ['usage', `there is no tracker ${key}`],
  'last-tracker': () => ['usage', 'this is the only tracker; without one nobody could log in'],
  'cannot-save': () => ['unavailable', 'the tracker cannot save changes at the moment; try again later'],
  'too-busy': () => ['busy', 'the tracker has too much to do at the moment; try again later'],
  'too-late': () => ['unavailable', 'this came too late to be done; look whether it was, and ask again'],
  'login-ended': () => ['unavailable', 'this login has ended; log in again'],
  'not-yet': () => ['invalid-request', 'this needs every tracker of the community to be updated first'],
  'wrong-code': () => [
    'wrong-code',
    'this code is wrong, used up or too old; whoever runs the trackers can give another',
  ],
  'not-invited': () => [
    'not-invited',
    'new users need an invitation here: create_user <user> --invite <code>; whoever runs the trackers gives codes',
  ],
  'registration-closed': () => [
    'registration-closed',
    'new users are not taken here at the moment; ask whoever runs the trackers',
  ],
  'too-many-invites': (max) => [
    'over-quota',
    `${max} invitations wait to be used; the oldest lapse within a week`,
  ],
  'was-refused': (reason = '') => [codeOf(reason), 'this was refused the first time; ask again'],
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
