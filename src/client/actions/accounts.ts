// What a client does about accounts.

import { plainNameProblem } from '../../common/names.ts'
import { refuse } from '../../common/refusal.ts'
import { codeProblem, notLoggedIn, passwordProblem } from '../answers.ts'
import type { AccountOperations } from '../operations.ts'
import type { Core } from './core.ts'

export function accountActions({ link, session, turns, ...core }: Core): AccountOperations {
  return {
    async createUser(user, password, invite) {
      const badCode = invite === undefined ? undefined : codeProblem(invite)
      const problem = plainNameProblem('user', user) ?? passwordProblem(password) ?? badCode
      if (problem !== undefined) return refuse('bad-name', problem)
      return link.accounts.register(user, password, invite?.toLowerCase())
    },
    login: core.login,
    logout: core.logout,
    async changePassword(old, password) {
      const problem = passwordProblem(password)
      if (problem !== undefined) return refuse('bad-name', problem)
      // In turn: nobody logs in or out meanwhile.
      return turns(() =>
        session() === undefined ? notLoggedIn() : link.accounts.changePassword(old, password),
      )
    },
    async resetPassword(user, code, password) {
      const problem = plainNameProblem('user', user) ?? passwordProblem(password) ?? codeProblem(code)
      if (problem !== undefined) return refuse('bad-name', problem)
      return link.accounts.resetPassword(user, code.toLowerCase(), password)
    },
    deleteAccount: core.deleteAccount,
    whoami: () => session()?.user,
  }
}
