// What the commands on their way to the log are about, counted by name: they may turn an outcome that was foreseen
// without them.

import type { Command, UserCommand } from './commands.ts'
import type { Outcome } from './outcomes.ts'

export class UnderWay {
  readonly #accounts = new Counts()
  readonly #groups = new Counts()
  /** Those that may turn anything, which are rare: an account that goes leaves many groups, and frees its name. */
  readonly #wide = new Counts()

  add(command: Command): void {
    if (isWide(command)) this.#wide.add(command.kind)
    if (command.kind === 'register') this.#accounts.add(command.user)
    if (!('group' in command)) return
    this.#accounts.add(command.by)
    this.#groups.add(command.group)
  }

  delete(command: Command): void {
    if (isWide(command)) this.#wide.delete(command.kind)
    if (command.kind === 'register') this.#accounts.delete(command.user)
    if (!('group' in command)) return
    this.#accounts.delete(command.by)
    this.#groups.delete(command.group)
  }

  clear(): void {
    this.#accounts.clear()
    this.#groups.clear()
    this.#wide.clear()
  }

  /**
   * Whether one of them could turn this outcome of a command that comes behind them. Every reason is about the command's
   * group alone, but for quotas, which also count what its account has elsewhere; a name of a user that is taken stays
   * so unless an account goes. What others have on their way elsewhere is acknowledged to nobody yet, so it may as well
   * come later.
   */
  mayTurn(outcome: Outcome, command: UserCommand): boolean {
    if (this.#wide.isAny) return true
    if ('group' in command && this.#groups.has(command.group)) return true
    if (outcome.ok || outcome.reason !== 'over-quota') return false
    return this.#accounts.has('by' in command ? command.by : command.user)
  }
}

function isWide({ kind }: Command): boolean {
  return wideKinds.has(kind)
}

const wideKinds: ReadonlySet<Command['kind']> = new Set([
  'change_password',
  'delete_account',
  'reset_password',
  'issue_reset',
  'remove_user',
  'set_registration',
  'add_invite',
])

class Counts {
  readonly #counts = new Map<string, number>()

  get isAny(): boolean {
    return this.#counts.size > 0
  }

  has(name: string): boolean {
    return this.#counts.has(name)
  }

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  delete(name: string): void {
    const count = this.#counts.get(name) ?? 0
    if (count > 1) this.#counts.set(name, count - 1)
    else this.#counts.delete(name)
  }

  clear(): void {
    this.#counts.clear()
  }
}
