// The commands for accounts: making one, logging in and out, another password, an end.

import { plainNameProblem } from '../../../common/names.ts'
import type { Answer } from '../../../common/refusal.ts'
import { accept, refuse } from '../../../common/refusal.ts'
import { alreadyLoggedIn, notLoggedIn, refusalOf } from '../../answers.ts'
import type { Operations } from '../../operations.ts'
import type { PromptCommand, Reply, Surroundings } from './command.ts'
import { say, sayIfDone, withData } from './command.ts'
import type { Line } from '../../../common/terminal/line.ts'
import { quoteWord } from '../text/words.ts'

/**
 * The typed password, or one asked for; asks twice where a typo would lock the user out. `usage`: as it is written
 * where nobody can be asked.
 */
async function passwordFor(
  usage: string,
  typed: string | undefined,
  { terminal, askHidden, password: given }: Surroundings,
  { twice = false, question = 'password: ', isNew = false } = {},
): Promise<Answer<string>> {
  if (typed !== undefined) return accept(typed)
  // The one that was given is that of the account, not the next one.
  if (given !== undefined && !isNew) return accept(given)
  const [command = ''] = usage.split(' ')
  if (!terminal)
    return refuse(
      'usage',
      `${command} needs a password: ${usage}, or start the client with --password-file <file>`,
    )
  const password = await askHidden(question)
  if (password === undefined) return refuse('cancelled', 'cancelled')
  if (!twice) return accept(password)
  const again = await askHidden('the same again: ')
  if (again === undefined) return refuse('cancelled', 'cancelled')
  return again === password
    ? accept(password)
    : refuse('usage', 'the two passwords are not the same; try again')
}

/** Whoever owns more groups than this looks for himself. */
const askedGroupsMax = 20
/** As many names as fit in a line. */
const namedMax = 5

/**
 * What a person wants to know who is logged in now: who has asked to join meanwhile, or how to begin. Nothing when no
 * tracker answers.
 */
export async function afterLogin(operations: Operations): Promise<{ lines: readonly Line[]; hint?: string }> {
  try {
    return await requestsAndHint(operations)
  } catch (error) {
    if (refusalOf(error) === undefined) throw error
    return { lines: [] }
  }
}

async function requestsAndHint(operations: Operations): Promise<{ lines: Line[]; hint?: string }> {
  const groups = await operations.listGroups()
  if (!groups.ok) return { lines: [] }
  const owned = groups.value.filter(({ standing }) => standing === 'owner').slice(0, askedGroupsMax)
  const lines = await Promise.all(
    owned.map(async ({ group }) => {
      const asking = await operations.listRequests(group)
      return asking.ok && asking.value.length > 0 ? [requestsLine(group, asking.value)] : []
    }),
  )
  const belongs = groups.value.some(({ standing }) => standing !== 'none')
  const hint = 'next: create_group <group>, or list_groups and join_group <group>'
  return { lines: lines.flat(), ...(!belongs && { hint }) }
}

/** One line a group, however many ask. */
function requestsLine(group: string, users: readonly string[]): Line {
  const more = users.length - namedMax
  const who = users.slice(0, namedMax).join(', ') + (more > 0 ? ` and ${more} more` : '')
  const user = users.length === 1 ? quoteWord(users[0] ?? '') : '<user>'
  const verb = users.length === 1 ? 'asks' : 'ask'
  return {
    text: `${who} ${verb} to join ${group}; to let them in: accept_request ${quoteWord(group)} ${user}`,
  }
}

/** Shorter ones are guessed. They are taken, since it is the user's account. */
const goodPasswordCharacters = 8

function weakness({ terminal }: Surroundings, password: string): Line[] {
  if (!terminal || password.length >= goodPasswordCharacters) return []
  const text = `warning: this password is easy to guess; set one of ${goodPasswordCharacters} characters or more with change_password`
  return [{ text, tone: 'waiting' }]
}

/** Adds lines in front of or behind those of a positive answer; passes a refusal on. */
function withLines(answer: Answer<Reply>, lines: readonly Line[]): Answer<Reply> {
  return answer.ok ? accept({ ...answer.value, lines: [...answer.value.lines, ...lines] }) : answer
}

export const accountCommands: readonly PromptCommand[] = [
  {
    name: 'create_user',
    words: '<user> [password]',
    secretsFrom: 1,
    summary: 'make an account',
    examples: ['create_user ann', 'create_user ann --invite 0123456789abcdef0123456789abcdef'],
    flags: [
      {
        flag: '--invite <code>',
        summary: 'the code from whoever runs the trackers, where new users need one',
      },
    ],
    async run(surroundings, [user, typed], flags) {
      // Before somebody thinks of a password for it.
      const problem = plainNameProblem('user', user)
      if (problem !== undefined) return refuse('bad-name', problem)
      const { operations } = surroundings
      const isOwn = operations.whoami() === user
      if (isOwn) return refuse('user-taken', `you are logged in as ${user}; this account is already yours`)
      const password = await passwordFor('create_user <user> <password>', typed, surroundings, {
        twice: true,
      })
      if (!password.ok) return password
      const answer = await operations.createUser(user, password.value, flags.get('--invite'))
      const next = operations.whoami() === undefined ? 'next:' : 'next: logout, then'
      const done = sayIfDone(answer, `user ${user} created`, `${next} login ${quoteWord(user)}`)
      return withData(withLines(done, weakness(surroundings, password.value)), { user })
    },
  },
  {
    name: 'login',
    words: '<user> [password]',
    secretsFrom: 1,
    summary: 'log in; your shares and downloads go on',
    examples: ['login ann', 'login ann --remember'],
    flags: [
      { flag: '--remember', summary: 'later starts of this client log in by themselves, until you log out' },
    ],
    async run(surroundings, [user, typed], flags) {
      const { operations, terminal } = surroundings
      const remember = flags.has('--remember')
      // Before a password is asked for. By a remembered login, say, or from another terminal.
      const before = operations.whoami()
      if (before !== undefined && before !== user) return alreadyLoggedIn(before)
      if (before !== undefined) {
        const answer = remember ? await operations.login(user, '', remember) : accept(undefined)
        return withData(sayIfDone(answer, `you are logged in as ${user}`), { user })
      }
      const password = await passwordFor('login <user> <password>', typed, surroundings)
      if (!password.ok) return password
      const answer = await operations.login(user, password.value, remember)
      if (!answer.ok) return answer
      surroundings.showReading()
      // Scripts do not need it.
      const { lines, hint } = terminal ? await afterLogin(operations) : { lines: [] }
      return withData(withLines(say(`logged in as ${user}`, hint), lines), { user })
    },
  },
  {
    name: 'logout',
    words: '',
    summary: 'log out; sharing and downloads stop until the next login; a remembered login is forgotten',
    async run({ operations }) {
      return sayIfDone(await operations.logout(), 'logged out')
    },
  },
  {
    name: 'change_password',
    words: '[old] [new]',
    secretsFrom: 0,
    summary: 'set a new password; your other machines are logged out',
    async run(surroundings, [typed, typedNew]) {
      const { operations } = surroundings
      // Before anything is asked for.
      const user = operations.whoami()
      if (user === undefined) return notLoggedIn()
      const usage = 'change_password <old> <new>'
      const old = await passwordFor(usage, typed, surroundings, { question: 'old password: ' })
      if (!old.ok) return old
      const asked = { twice: true, question: 'new password: ', isNew: true }
      const password = await passwordFor(usage, typedNew, surroundings, asked)
      if (!password.ok) return password
      const answer = await operations.changePassword(old.value, password.value)
      const done = sayIfDone(answer, `password of ${user} changed`)
      return withData(withLines(done, weakness(surroundings, password.value)), { user })
    },
  },
  {
    name: 'reset_password',
    words: '<user> <code> [new]',
    secretsFrom: 1,
    summary: 'set a new password with a code from whoever runs the trackers',
    async run(surroundings, [user, code, typed]) {
      const asked = { twice: true, question: 'new password: ' }
      const usage = 'reset_password <user> <code> <password>'
      const password = await passwordFor(usage, typed, surroundings, asked)
      if (!password.ok) return password
      const answer = await surroundings.operations.resetPassword(user, code, password.value)
      const hint = `next: login ${quoteWord(user)}`
      return withData(sayIfDone(answer, `password of ${user} changed`, hint), { user })
    },
  },
  {
    name: 'delete_account',
    words: '[password]',
    secretsFrom: 0,
    summary: 'delete your account for good, and leave all groups',
    async run(surroundings, [typed]) {
      const { operations } = surroundings
      const user = operations.whoami()
      if (user === undefined) return notLoggedIn()
      const password = await passwordFor('delete_account <password>', typed, surroundings, {
        question: `password, to delete ${user} for good: `,
      })
      if (!password.ok) return password
      const answer = await operations.deleteAccount(password.value)
      return withData(sayIfDone(answer, `account ${user} deleted`), { user })
    },
  },
  {
    name: 'whoami',
    words: '',
    summary: 'say who is logged in',
    // "nobody is logged in" answers the question, so it is no error.
    async run({ operations }) {
      const user = operations.whoami()
      return withData(say(user ?? 'nobody is logged in'), { user: user ?? null })
    },
  },
]
