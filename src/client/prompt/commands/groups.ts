// The commands for groups: joining and leaving them and, for owners, admitting others.

import { refuse, type Answer } from '../../../common/refusal.ts'
import type { Operations } from '../../operations.ts'
import type { PromptCommand, Surroundings } from './command.ts'
import { list, sayIfDone, withData } from './command.ts'
import { groupRow, tableLines } from './replies.ts'
import { quoteWord } from '../text/words.ts'
import { afterDownloads } from './after-downloads.ts'

const lineEach = (users: readonly string[]) => users.map((text) => ({ text }))

/** An owner who leaves hands the group on for good, so a person is asked first. */
async function isSureToLeave({ operations, ask }: Surroundings, group: string): Promise<boolean> {
  if (ask === undefined) return true
  const groups = await operations.listGroups()
  const owned = groups.ok && groups.value.find((each) => each.group === group && each.standing === 'owner')
  // The tracker says what else is wrong.
  if (!owned || owned.members < 2) return true
  const answer = await ask(`you own ${group}, and another member will become its owner; leave it? (y/n) `)
  return answer !== undefined && /^y(es)?$/i.test(answer.trim())
}

const membership: readonly PromptCommand[] = [
  {
    name: 'create_group',
    words: '<group>',
    summary: 'make a group; you are its owner',
    examples: ['create_group family', 'create_group family --hidden'],
    flags: [
      { flag: '--hidden', summary: 'show it in list_groups only to members and those who asked to join' },
    ],
    async run({ operations }, [group], flags) {
      const hidden = flags.has('--hidden')
      const answer = await operations.createGroup(group, hidden)
      const done = hidden ? `hidden group ${group} created` : `group ${group} created`
      const hint = `next: upload_file <path> ${quoteWord(group)}`
      return withData(sayIfDone(answer, done, hint), { group, hidden })
    },
  },
  {
    name: 'list_groups',
    words: '',
    summary: 'list all groups, and whether you are in them',
    async run({ operations, terminal }) {
      const answer = await operations.listGroups()
      if (!answer.ok) return answer
      const strange = answer.value.some(({ standing }) => standing === 'none')
      const hint = strange ? 'to join one: join_group <group>' : undefined
      const groups = answer.value.map((group) => ({ ...group, hidden: group.hidden ?? false }))
      const lines = tableLines(answer.value.map(groupRow), terminal)
      return withData(list(lines, 'no groups yet', hint), { groups })
    },
  },
  {
    name: 'join_group',
    words: '<group>',
    summary: 'ask the owner of a group to let you in',
    examples: ['join_group family'],
    async run({ operations }, [group]) {
      const answer = await operations.joinGroup(group)
      const hint = 'you will be told here when the owner has decided'
      return withData(sayIfDone(answer, `join request sent to the owner of ${group}`, hint), { group })
    },
  },
  {
    name: 'leave_group',
    words: '<group>',
    summary: 'leave a group; what you share in it is withdrawn',
    examples: ['leave_group family'],
    waits: true,
    async run(surroundings, [group]) {
      const free = await afterDownloads(surroundings, group)
      if (!free.ok) return free
      if (!(await isSureToLeave(surroundings, group))) return refuse('cancelled', 'cancelled')
      return withData(sayIfDone(await surroundings.operations.leaveGroup(group), `left ${group}`), { group })
    },
  },
  {
    name: 'list_members',
    words: '<group>',
    summary: 'list the members of a group',
    examples: ['list_members family'],
    async run({ operations }, [group]) {
      const answer = await operations.listMembers(group)
      if (!answer.ok) return answer
      const users = answer.value
      return withData(list(lineEach(users), `no members in ${group}`), { group, users })
    },
  },
]

/** Where there is no such group, but one that is called like the user, the words may have been swapped. */
async function groupFirst(
  command: string,
  operations: Operations,
  asked: Promise<Answer<void>>,
  [group, user]: readonly [string, string],
): Promise<Answer<void>> {
  const answer = await asked
  if (answer.ok || answer.refusal.code !== 'no-such-group') return answer
  const groups = await operations.listGroups()
  const isSwapped = groups.ok && groups.value.some((entry) => entry.group === user)
  if (!isSwapped) return answer
  const meant = `${command} ${quoteWord(user)} ${quoteWord(group)}`
  return refuse('no-such-group', `${answer.refusal.sentence}; did you mean ${meant}?`)
}

const owning: readonly PromptCommand[] = [
  {
    name: 'list_requests',
    words: '<group>',
    summary: 'list who has asked to join your group',
    examples: ['list_requests family'],
    async run({ operations }, [group]) {
      const answer = await operations.listRequests(group)
      if (!answer.ok) return answer
      const hint = `to let somebody in: accept_request ${quoteWord(group)} <user>`
      const users = answer.value
      return withData(list(lineEach(users), `no pending requests for ${group}`, hint), { group, users })
    },
  },
  {
    name: 'accept_request',
    words: '<group> <user>',
    summary: 'let somebody into your group',
    examples: ['accept_request family ben'],
    async run({ operations }, [group, user]) {
      const answer = await groupFirst('accept_request', operations, operations.acceptRequest(group, user), [
        group,
        user,
      ])
      return withData(sayIfDone(answer, `${user} is now a member of ${group}`), { group, user })
    },
  },
  {
    name: 'reject_request',
    words: '<group> <user>',
    summary: 'turn down a join request',
    examples: ['reject_request family ben'],
    async run({ operations }, [group, user]) {
      const answer = await groupFirst('reject_request', operations, operations.rejectRequest(group, user), [
        group,
        user,
      ])
      return withData(sayIfDone(answer, `request of ${user} for ${group} rejected`), { group, user })
    },
  },
  {
    name: 'remove_member',
    words: '<group> <user>',
    summary: 'remove somebody from your group',
    examples: ['remove_member family ben'],
    async run({ operations }, [group, user]) {
      const answer = await groupFirst('remove_member', operations, operations.removeMember(group, user), [
        group,
        user,
      ])
      return withData(sayIfDone(answer, `${user} is no longer a member of ${group}`), { group, user })
    },
  },
]

export const groupCommands: readonly PromptCommand[] = [...membership, ...owning]
