// Ends a campaign: reads the outcome of every story from the trackers, as its users see it, and compares it with the
// ledger.

import type { PlainModel } from '../../tracker/state/plain-model.ts'
import type { Clerk, FoundPassword } from './clerk.ts'
import { commandId } from './speaker.ts'
import { fileNames, passwordOf, type Step, type Story } from './story.ts'
import type { Workload } from './workload.ts'

export interface Findings {
  /** Acknowledged commands without their effect. */
  lost: number
  /** Commands that took effect a second time, or were refused because of their own effect. */
  twice: number
  /** Groups in a state that no choice of whole commands leads to. */
  half: number
  acknowledged: number
  /** Without an answer: applied or not, both are right. */
  uncertain: number
  /** What was wrong, one line each. */
  readonly complaints: string[]
}

/** What can be seen of a story's group and newcomer, as a text to compare. */
type Facts = string

/**
 * Reads and compares everything. The workload must have stopped, and some tracker must be up. Comes last: it withdraws
 * every share, which is the only way to see them.
 */
export async function audit(workload: Workload): Promise<Findings> {
  const findings: Findings = { lost: 0, twice: 0, half: 0, acknowledged: 0, uncertain: 0, complaints: [] }
  const owners = await readOwners(workload)
  const queue = [...workload.ledger]
  const read = async (clerk: Clerk): Promise<void> => {
    for (let story = queue.pop(); story !== undefined; story = queue.pop()) {
      const found = await readFacts(workload, clerk, story, owners.get(story.group))
      judge(story, found, await readSession(clerk, story), findings)
    }
  }
  await Promise.all(workload.clerks.map(read))
  for (const { user, accountsLost } of [...workload.speakers, workload.outsider]) {
    findings.lost += accountsLost
    if (accountsLost > 0) findings.complaints.push(`${String(user)}: the account was gone`)
  }
  return findings
}

/** Of the groups that everybody sees. */
async function readOwners(workload: Workload): Promise<Map<string, string>> {
  const owners = new Map<string, string>()
  let after: string | undefined
  for (;;) {
    const page = await workload.outsider.ask('list_groups', { after })
    if (!page.ok) throw new Error('the groups cannot be listed')
    for (const { group, owner } of page.value.groups) owners.set(group, owner)
    if (!page.value.more) return owners
    after = page.value.groups.at(-1)?.group
  }
}

async function readFacts(
  workload: Workload,
  clerk: Clerk,
  story: Story,
  listed: string | undefined,
): Promise<Facts> {
  const password = await readPassword(clerk, story)
  const owner = listed ?? (await ownerOfHidden(workload, story))
  const hidden = owner !== undefined && listed === undefined
  if (owner === undefined) return factsOf({ owner, hidden, members: [], requests: [], shares: [], password })
  const { group } = story
  const members = await usersIn(workload, 'list_members', group, owner)
  const requests = await usersIn(workload, 'list_requests', group, owner)
  const shares: string[] = []
  for (const name of fileNames) shares.push(...(await sharesOf(workload, story, owner, name)))
  return factsOf({ owner, hidden, members, requests, shares, password })
}

/** Nobody else may see who wants to join. */
async function ownerOfHidden(
  workload: Workload,
  { steps, group, actors }: Story,
): Promise<string | undefined> {
  const mayBe = steps.some(({ wish }) => wish.kind === 'create_group' && wish.hidden === true)
  for (const actor of mayBe ? actors : []) {
    const answer = await workload.speakerOf(actor).ask('list_requests', { group })
    if (answer.ok) return actor
  }
  return undefined
}

async function readPassword(clerk: Clerk, story: Story): Promise<FoundPassword | undefined> {
  const { steps, newcomer } = story
  if (!steps.some(({ wish }) => wish.kind === 'register')) return undefined
  return clerk.passwordOf(newcomer, passwordOf(modelAfter(story, steps), newcomer))
}

/** Whether the last session that should have ended has not. */
async function readSession(clerk: Clerk, { steps, newcomer }: Story): Promise<boolean> {
  const ended = steps.findLast((step) => step.session !== undefined && endedSession(step))
  return ended?.session !== undefined && !(await clerk.hasEnded(newcomer, ended.session))
}

/** Whether a session of before this is certain to have ended. */
function endedSession({ wish, answer }: Step): boolean {
  return (wish.kind === 'change_password' || wish.kind === 'delete_account') && answer === 'done'
}

async function usersIn(
  workload: Workload,
  list: 'list_members' | 'list_requests',
  group: string,
  owner: string,
): Promise<string[]> {
  const answer = await workload.speakerOf(owner).ask(list, { group })
  return answer.ok ? answer.value.users : [answer.refusal.code]
}

/** Nobody is shown who shares a file, but withdrawing a share says whether there was one. */
async function sharesOf(workload: Workload, story: Story, owner: string, name: string): Promise<string[]> {
  const { group } = story
  const file = await workload.speakerOf(owner).ask('find_file', { group, name })
  const found: string[] = []
  for (const user of story.actors) {
    const answer = await workload.speakerOf(user).ask('unshare_file', { id: commandId(), group, name })
    if (answer.ok) found.push(shareOf(name, file.ok ? file.value.fileId : '', user))
  }
  return found
}

function shareOf(name: string, fileId: string, user: string): string {
  return `${name} ${fileId.slice(0, 4)} ${user}`
}

export function factsOf(facts: {
  owner: string | undefined
  hidden: boolean
  members: string[]
  requests: string[]
  shares: string[]
  /** The newcomer's; undefined while there is none. */
  password: FoundPassword | undefined
}): Facts {
  const { owner, hidden, members, requests, shares, password } = facts
  const sorted = [members, requests, shares].map((texts) => texts.toSorted())
  return JSON.stringify([hidden ? `${owner} (hidden)` : owner, ...sorted, password])
}

/** The facts after these steps, by the model. */
function factsAfter(story: Story, steps: readonly Step[]): Facts {
  const model = modelAfter(story, steps)
  const { group } = story
  return factsOf({
    owner: model.ownerOf(group),
    hidden: model.hidden.has(group),
    members: model.membersOf(group),
    requests: model.asksFor(group),
    shares: model.shares.map(({ name, fileId, user }) => shareOf(name, fileId, user)),
    password: passwordOf(model, story.newcomer),
  })
}

function modelAfter(story: Story, steps: readonly Step[]): PlainModel {
  const model = story.modelBefore()
  for (const { wish } of steps) model.do(wish)
  return model
}

/** Adds the findings of a story. `outlives`: a session has not ended with its password, or its account. */
export function judge(story: Story, found: Facts, outlives: boolean, findings: Findings): void {
  const { steps } = story
  const last = steps.at(-1)
  const answered = steps.filter((step) => step.answer !== undefined)
  const isUncertain = last !== undefined && last.answer === undefined
  findings.acknowledged += answered.length
  if (isUncertain) findings.uncertain++
  const wrong = last !== undefined && !isUncertain && last.answer !== last.expected ? last : undefined
  const isRight =
    wrong === undefined &&
    (found === factsAfter(story, answered) || (isUncertain && found === factsAfter(story, steps)))
  if (isRight) {
    if (!outlives) return
    findings.half++
    findings.complaints.push(`${story.group}: ${storyLine(steps)} -> a session of before goes on`)
    return
  }
  // A repeated command that was refused, while its effect is there, was not recognised as a repeat.
  const isTwice =
    wrong === undefined ? isDoubled(story, found) : wrong.tries > 1 && found === factsAfter(story, steps)
  const lost = lostOf(story, found, wrong === undefined ? steps : steps.slice(0, -1))
  if (isTwice) findings.twice++
  else if (lost > 0) findings.lost += lost
  else findings.half++
  findings.complaints.push(`${story.group}: ${storyLine(steps)} -> ${found}`)
}

/**
 * How many acknowledged commands have no effect. Leaves out the shortest run of steps that explains the facts, and
 * counts those, and later ones that would then have been refused. 0 when no run explains them.
 */
function lostOf(story: Story, found: Facts, steps: readonly Step[]): number {
  const acknowledged = steps.filter((step) => step.answer === 'done').length
  for (let length = 0; length <= steps.length; length++) {
    for (let start = steps.length - length; start >= 0; start--) {
      const rest = [...steps.slice(0, start), ...steps.slice(start + length)]
      if (found !== factsAfter(story, rest)) continue
      const model = story.modelBefore()
      return (
        acknowledged -
        rest.filter(({ wish, answer }) => model.do(wish) === 'done' && answer === 'done').length
      )
    }
  }
  return 0
}

/** Whether a second effect of a repeated command, then or later, explains the facts. */
function isDoubled(story: Story, found: Facts): boolean {
  const { steps } = story
  return steps.some((step, index) => {
    if (step.tries < 2) return false
    return steps.some((_, at) => {
      return (
        at >= index && found === factsAfter(story, [...steps.slice(0, at + 1), step, ...steps.slice(at + 1)])
      )
    })
  })
}

function storyLine(steps: readonly Step[]): string {
  return steps
    .map(({ wish, answer, expected, tries }) => {
      const who = 'by' in wish ? wish.by : wish.user
      const repeated = tries > 1 ? ` x${tries}` : ''
      return `${who} ${wish.kind}${repeated}: ${answer ?? '?'}${answer === expected ? '' : ` (${expected})`}`
    })
    .join('; ')
}
