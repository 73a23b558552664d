// The commands for accounts: making one, logging in and out, another password, an end.

import type { Answer } from '../../../common/refusal.ts'
import { accept, refuse } from '../../../common/refusal.ts'
import type { PromptCommand, Surroundings } from './command.ts'
import { say, sayIfDone } from './command.ts'
import { quoteWord } from '../text/words.ts'

function notLoggedIn(): Answer<never> {
  return refuse('login-first', 'log in first')
}

/**
 * The typed password, or one asked for; asks twice where a typo would lock the user out. `usage`: as it is written
 * where nobody can be asked.
 */
async function passwordFor(
  usage: string,
  typed: string | undefined,
  { terminal, askHidden }: Surroundings,
  { twice = false, question = 'password: ' } = {},
): Promise<Answer<string>> {
  if (typed !== undefined) return accept(typed)
  const [command = ''] = usage.split(' ')
  if (!terminal)
    return refuse('usage', `${command} needs a password unless it is typed in a terminal: ${usage}`)
  const password = await askHidden(question)
  if (password === undefined) return refuse('cancelled', 'cancelled')
  if (!twice) return accept(password)
  const again = await askHidden('the same again: ')
  if (again === undefined) return refuse('cancelled', 'cancelled')
  return again === password ? accept(password) : refuse('usage', 'the two passwords are not the same')
}

/** Tells a new user how to begin. Scripts and users with a group do not need it. */
async function firstSteps({ operations, terminal }: Surroundings): Promise<string | undefined> {
  if (!terminal) return undefined
  const groups = await operations.listGroups()
  const belongs = !groups.ok || groups.value.some(({ standing }) => standing !== 'none')
  return belongs ? undefined : 'next: create_group <group>, or list_groups and join_group <group>'
}

export const accountCommands: readonly PromptCommand[] = [
  {
    name: 'create_user',
    words: '<user> [password]',
    summary: 'make an account',
    flags: [
      { flag: '--invite <code>', summary: 'where new users need a code from whoever runs the trackers' },
    ],
    async run(surroundings, [user, typed], flags) {
      const password = await passwordFor('create_user <user> <password>', typed, surroundings, {
        twice: true,
      })
      if (!password.ok) return password
      const answer = await surroundings.operations.createUser(user, password.value, flags.get('--invite'))
      return sayIfDone(answer, `user ${user} created`, `next: login ${quoteWord(user)}`)
    },
  },
  {
    name: 'login',
    words: '<user> [password]',
    summary: 'log in; what you shared and were downloading goes on',
    async run(surroundings, [user, typed]) {
      const password = await passwordFor('login <user> <password>', typed, surroundings)
      if (!password.ok) return password
      const answer = await surroundings.operations.login(user, password.value)
      return answer.ok ? say(`logged in as ${user}`, await firstSteps(surroundings)) : answer
    },
  },
  {
    name: 'logout',
    words: '',
    summary: 'log out; sharing and downloads stop until the next login',
    async run({ operations }) {
      return sayIfDone(await operations.logout(), 'logged out')
    },
  },
  {
    name: 'change_password',
    words: '[old] [new]',
    summary: 'set another password; your other machines are logged out',
    async run(surroundings, [typed, typedNew]) {
      const { operations } = surroundings
      // Before anything is asked for.
      const user = operations.whoami()
      if (user === undefined) return notLoggedIn()
      const usage = 'change_password <old> <new>'
      const old = await passwordFor(usage, typed, surroundings, { question: 'old password: ' })
      if (!old.ok) return old
      const asked = { twice: true, question: 'new password: ' }
      const password = await passwordFor(usage, typedNew, surroundings, asked)
      if (!password.ok) return password
      const answer = await operations.changePassword(old.value, password.value)
      return sayIfDone(answer, `password of ${user} changed`)
    },
  },
  {
    name: 'reset_password',
    words: '<user> <code> [new]',
    summary: 'set a new password with a code from whoever runs the trackers',
    async run(surroundings, [user, code, typed]) {
      const asked = { twice: true, question: 'new password: ' }
      const usage = 'reset_password <user> <code> <password>'
      const password = await passwordFor(usage, typed, surroundings, asked)
      if (!password.ok) return password
      const answer = await surroundings.operations.resetPassword(user, code, password.value)
      return sayIfDone(answer, `password of ${user} changed`, `next: login ${quoteWord(user)}`)
    },
  },
  {
    name: 'delete_account',
    words: '[password]',
    summary: 'leave all groups and end your account for good',
    async run(surroundings, [typed]) {
      const { operations } = surroundings
      const user = operations.whoami()
      if (user === undefined) return notLoggedIn()
      const password = await passwordFor('delete_account <password>', typed, surroundings, {
        question: `password, to delete ${user} for good: `,
      })
      if (!password.ok) return password
      return sayIfDone(await operations.deleteAccount(password.value), `account ${user} deleted`)
    },
  },
  {
    name: 'whoami',
    words: '',
    summary: 'say who is logged in',
    // "nobody is logged in" answers the question, so it is no error.
    async run({ operations }) {
      return say(operations.whoami() ?? 'nobody is logged in')
    },
  },
]
