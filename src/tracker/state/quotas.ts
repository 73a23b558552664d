// Quotas: how much there may be in all, and how much one person may add to it. Part of the state and changed by logged
// commands, so that all trackers agree. The defaults are far above what a community of 10,000 people needs, and low
// enough that one account, or all accounts of one address, do not fill the memory of a tracker.

import { no, type No } from './outcomes.ts'

/**
 * Each with what it bounds; the docs and the console list them in this order. New ones go to the end: snapshots have
 * their values in this order.
 */
export const quotaTable = {
  accounts: { value: 1_000_000, meaning: 'accounts in all' },
  accounts_of_address: { value: 20_000, meaning: 'accounts made from one address in a day' },
  groups_of_account: { value: 1_000, meaning: 'groups that one account owns' },
  memberships_of_account: { value: 10_000, meaning: 'groups that one account is in' },
  requests_of_account: { value: 1_000, meaning: 'groups that one account asks to join at once' },
  requests_of_group: { value: 10_000, meaning: 'accounts that ask to join one group at once' },
  members_of_group: { value: 100_000, meaning: 'members of one group' },
  files_of_account: { value: 100_000, meaning: 'files that one account shares' },
  files_of_group: { value: 1_000_000, meaning: 'files in one group' },
  groups: { value: 1_000_000, meaning: 'groups in all' },
  files: { value: 10_000_000, meaning: 'files in all' },
} as const

export type QuotaName = keyof typeof quotaTable
export type Quotas = Readonly<Record<QuotaName, number>>

export const quotaNames = Object.keys(quotaTable) as QuotaName[]

export const defaultQuotas = Object.fromEntries(
  Object.entries(quotaTable).map(([name, { value }]) => [name, value]),
) as Quotas

/** More than any tracker holds; bounds what can be typed. */
export const quotaMax = 1_000_000_000

export function isQuotaName(name: string): name is QuotaName {
  return Object.hasOwn(quotaTable, name)
}

/** A reason against one more when `count` has reached the quota. */
export function overQuota(quotas: Quotas, name: QuotaName, count: number): No | undefined {
  return count >= quotas[name] ? no('over-quota', name, quotas[name]) : undefined
}
