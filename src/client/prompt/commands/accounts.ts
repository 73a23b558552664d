// The commands for accounts: create_user, login, logout and whoami.

import type { Answer } from '../../../common/refusal.ts'
import { accept, refuse } from '../../../common/refusal.ts'
import type { PromptCommand, Surroundings } from './command.ts'
import { say, sayIfDone } from './command.ts'
import { quoteWord } from '../text/words.ts'

/** The typed password, or one asked for; asks twice where a typo would lock the user out. */
async function passwordFor(
  command: string,
  typed: string | undefined,
  { terminal, askHidden }: Surroundings,
  twice: boolean,
): Promise<Answer<string>> {
  if (typed !== undefined) return accept(typed)
  if (!terminal)
    return refuse(
      'usage',
      `${command} needs a password unless it is typed in a terminal: ${command} <user> <password>`,
    )
  const password = await askHidden('password: ')
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
    async run(surroundings, [user, typed]) {
      const password = await passwordFor('create_user', typed, surroundings, true)
      if (!password.ok) return password
      const answer = await surroundings.operations.createUser(user, password.value)
      return sayIfDone(answer, `user ${user} created`, `next: login ${quoteWord(user)}`)
    },
  },
  {
    name: 'login',
    words: '<user> [password]',
    summary: 'log in; what you shared and were downloading goes on',
    async run(surroundings, [user, typed]) {
      const password = await passwordFor('login', typed, surroundings, false)
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
    name: 'whoami',
    words: '',
    summary: 'say who is logged in',
    // "nobody is logged in" answers the question, so it is no error.
    async run({ operations }) {
      return say(operations.whoami() ?? 'nobody is logged in')
    },
  },
]
