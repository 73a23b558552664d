// What the buttons and forms do: each asks the client, says what came of it, and has the lists read again. What
// cannot be taken back is asked about first.

import type { LinkOptions } from '../../client/link-operations.ts'
import type { DownloadOptions, LimitRule, Priority } from '../../client/operations.ts'
import type { Answer } from '../../common/refusal.ts'
import { addressOf, beginningOf, dropFile, type Ask } from './api.ts'
import { setEntry, setFor } from './looking.ts'
import type { Store } from './store.ts'
import { shown } from './html.ts'

/** The most of a text that is shown: nobody reads more in a page. */
const textBytesMax = 256 * 1024

export type Actions = ReturnType<typeof createActions>

export function createActions(store: Store, ask: Ask, soon: () => void) {
  /** Does something, once at a time for what `key` names. Resolves to whether it was done. */
  const perform = async (
    key: string,
    act: () => Promise<Answer<unknown>>,
    done: string,
  ): Promise<boolean> => {
    const { pending } = store.get()
    if (pending.has(key)) return false
    store.set({ pending: new Set([...pending, key]), refused: '' })
    const answer = await act()
    const left = new Set(store.get().pending)
    left.delete(key)
    store.set({ pending: left, ...(answer.ok ? { said: done } : { refused: answer.refusal.sentence }) })
    soon()
    return answer.ok
  }
  const question = (title: string, sentence: string, yes: string, onYes: () => void): void => {
    store.set({
      dialog: { kind: 'question', title, sentence, yes, onYes: () => (closeDialog(), onYes()) },
    })
  }
  const closeDialog = (): void => store.set({ dialog: undefined })
  return {
    closeDialog,
    copyTo: (dropFolder: string) => store.set({ dropFolder }),
    want: (wanted: string) => store.set({ wanted }),
    refuse: (sentence: string) => store.set({ refused: sentence }),
    dismiss: () => store.set({ refused: '' }),
    ...accountActions(ask, perform, question),
    ...groupActions(ask, perform, question),
    ...shareActions(store, ask, perform, question),
    ...downloadActions(ask, perform, question),
    ...settingActions(ask, perform, question),
    ...linkActions(store, ask, perform, question),
    ...lookingActions(store, ask),
  }
}

type Perform = (key: string, act: () => Promise<Answer<unknown>>, done: string) => Promise<boolean>
type Question = (title: string, sentence: string, yes: string, onYes: () => void) => void

function accountActions(ask: Ask, perform: Perform, question: Question) {
  return {
    login: (user: string, password: string, remember: boolean) =>
      perform('login', () => ask('login', user, password, remember), `logged in as ${user}`),
    createUser: (user: string, password: string, invite: string) =>
      perform(
        'createUser',
        () => (invite === '' ? ask('createUser', user, password) : ask('createUser', user, password, invite)),
        `user ${user} created; log in now`,
      ),
    resetPassword: (user: string, code: string, password: string) =>
      perform(
        'resetPassword',
        () => ask('resetPassword', user, code, password),
        `the password of ${user} is changed; log in now`,
      ),
    logout: () => perform('logout', () => ask('logout'), 'logged out'),
    changePassword: (old: string, password: string) =>
      perform('changePassword', () => ask('changePassword', old, password), 'the password is changed'),
    deleteAccount: (user: string, password: string) =>
      question(
        `Delete the account ${shown(user)}?`,
        'You leave all groups, and anybody can take the name. What you fetched stays on your disk.',
        'Delete the account',
        () => void perform('deleteAccount', () => ask('deleteAccount', password), `account ${user} deleted`),
      ),
  }
}

function groupActions(ask: Ask, perform: Perform, question: Question) {
  return {
    createGroup: (group: string, hidden: boolean) =>
      perform('createGroup', () => ask('createGroup', group, hidden), `group ${group} created`),
    joinGroup: (group: string) =>
      perform(`join ${group}`, () => ask('joinGroup', group), `the owner of ${group} is asked`),
    acceptRequest: (group: string, user: string) =>
      perform(`request ${group}/${user}`, () => ask('acceptRequest', group, user), `${user} is now a member`),
    rejectRequest: (group: string, user: string) =>
      perform(
        `request ${group}/${user}`,
        () => ask('rejectRequest', group, user),
        `the request of ${user} is rejected`,
      ),
    leaveGroup: (group: string, isOwner: boolean) =>
      question(
        `Leave ${shown(group)}?`,
        isOwner
          ? 'You own it: the member who came after you becomes the owner. What you share there is withdrawn.'
          : 'What you share there is withdrawn. To come back you have to ask again.',
        'Leave the group',
        () => void perform(`leave ${group}`, () => ask('leaveGroup', group), `left ${group}`),
      ),
    removeMember: (group: string, user: string) =>
      question(
        `Remove ${shown(user)} from ${shown(group)}?`,
        'What they fetched stays with them. They can ask to join again.',
        'Remove the member',
        () =>
          void perform(
            `remove ${group}/${user}`,
            () => ask('removeMember', group, user),
            `${user} is no longer a member`,
          ),
      ),
  }
}

function shareActions(store: Store, ask: Ask, perform: Perform, question: Question) {
  const onDropped = (file: File, bytesDone: number): void =>
    store.set((state) => {
      const [first, ...others] = state.drops
      if (first?.name !== file.name) return state
      return { ...state, drops: [{ ...first, bytesDone }, ...others] }
    })
  return {
    /** One at a time: the answer comes when it was read, and a browser waits for few answers at once. */
    async share(path: string, group: string, skipSpecial: boolean): Promise<boolean> {
      if (store.get().pending.has('share')) {
        store.set({ refused: 'another file is being read; share the next one when that is done' })
        return false
      }
      return perform(
        'share',
        () => ask('uploadFile', path, group, { skipSpecial }),
        `${path} is shared in ${group}`,
      )
    },
    /** Copies and shares them one after the other, likewise; refused while others are copied. */
    async drop(files: readonly File[], group: string): Promise<void> {
      if ([...store.get().pending].some((key) => key.startsWith('drop '))) {
        store.set({ refused: 'other files are being copied; drop the next ones when that is done' })
        return
      }
      const begun = files.map(({ name, size }) => ({ group, name, sizeBytes: size, bytesDone: 0 }))
      store.set({ drops: begun })
      const refusals: string[] = []
      for (const file of files) {
        const isDone = await perform(
          `drop ${group}/${file.name}`,
          () =>
            dropFile(file, group, store.get().dropFolder.trim(), (bytesDone) => onDropped(file, bytesDone)),
          `${file.name} is shared in ${group}`,
        )
        // The next one would wipe it away.
        if (!isDone) refusals.push(store.get().refused)
        store.set((state) => ({ ...state, drops: state.drops.slice(1) }))
      }
      if (refusals.length > 0) store.set({ refused: refusals.join('; ') })
    },
    stopShare: (group: string, name: string) =>
      question(
        `Stop sharing ${shown(name)}?`,
        'The file stays on your disk. Others get it from those who have it.',
        'Stop sharing',
        () =>
          void perform(
            `stop ${group}/${name}`,
            () => ask('stopShare', group, name),
            `stopped sharing ${name}`,
          ),
      ),
    /** `name`: of the entry, and behind a "/" the path or pattern of a part of it. */
    download(group: string, name: string, destination: string, options: DownloadOptions): Promise<boolean> {
      store.set({ destination })
      return perform(
        `download ${group}/${name}`,
        () => ask('downloadFile', group, name, destination, options),
        `downloading ${name} to ${destination}`,
      )
    },
  }
}

function downloadActions(ask: Ask, perform: Perform, question: Question) {
  return {
    pause: (group: string, name: string) =>
      perform(`run ${group}/${name}`, () => ask('pauseDownload', group, name), `paused ${name}`),
    resume: (group: string, name: string) =>
      perform(`run ${group}/${name}`, () => ask('resumeDownload', group, name), `resumed ${name}`),
    cancel: (group: string, name: string) =>
      question(
        `Cancel the download of ${shown(name)}?`,
        'What was fetched of it is removed from your disk.',
        'Cancel the download',
        () =>
          void perform(`run ${group}/${name}`, () => ask('cancelDownload', group, name), `cancelled ${name}`),
      ),
    prioritize: (group: string, name: string, priority: Priority) =>
      perform(
        `priority ${group}/${name}`,
        () => ask('prioritize', group, name, priority),
        `${name} has ${priority} priority`,
      ),
  }
}

function settingActions(ask: Ask, perform: Perform, question: Question) {
  return {
    setLimit: (rule: LimitRule, done: string) => perform('limit', () => ask('setLimit', rule), done),
    subscribe: (group: string, glob: string, folder: string) =>
      perform(
        'subscribe',
        () => ask('subscribe', group, glob, folder),
        `${glob} of ${group} is fetched to ${folder} whenever it comes`,
      ),
    unsubscribe: (group: string, glob: string) =>
      question(
        `End the subscription to ${shown(glob)}?`,
        'What was fetched stays. New versions are not fetched by themselves any more.',
        'End it',
        () =>
          void perform(
            `unsubscribe ${group}/${glob}`,
            () => ask('unsubscribe', group, glob),
            `${glob} of ${group} is not fetched by itself any more`,
          ),
      ),
  }
}

function linkActions(store: Store, ask: Ask, perform: Perform, question: Question) {
  return {
    /** What the guest opens is shown to who asked for it, even where another view is shown by then. */
    shareLink(group: string, name: string, options: LinkOptions): Promise<boolean> {
      const { user } = store.get()
      const act = async (): Promise<Answer<unknown>> => {
        const made = await ask('shareLink', group, name, options)
        if (made.ok && user !== undefined) setFor({ store, user }, { madeLink: made.value })
        return made
      }
      return perform(`link ${group}/${name}`, act, `a link to ${name} is made`)
    },
    closeLink: () => store.set({ madeLink: undefined }),
    revokeLink: (link: number, name: string) =>
      question(
        `Take back link ${link} to ${shown(name)}?`,
        'What is being sent by it ends at once, and it leads nowhere any more.',
        'Take it back',
        () => void perform(`revoke ${link}`, () => ask('revokeLink', link), `link ${link} is taken back`),
      ),
    /** `what`: as a sentence begins. */
    async copy(text: string, what: string): Promise<void> {
      try {
        await navigator.clipboard.writeText(text)
        store.set({ said: `${what} is copied` })
      } catch {
        store.set({ refused: `the browser does not let this page copy; mark ${what} and copy it yourself` })
      }
    },
  }
}

function lookingActions(store: Store, ask: Ask) {
  return {
    /** Looks whether this client has what it needs. */
    async check(): Promise<void> {
      if (store.get().pending.has('doctor')) return
      store.set((state) => ({ ...state, pending: new Set([...state.pending, 'doctor']) }))
      const checks = await ask('doctor')
      store.set((state) => {
        const pending = new Set(state.pending)
        pending.delete('doctor')
        return {
          ...state,
          pending,
          ...(checks.ok ? { checks: checks.value } : { refused: checks.refusal.sentence }),
        }
      })
    },
    /** Asks what this waits for, or anything in the group, and shows it in a window of its own. */
    async why(group: string, name?: string): Promise<void> {
      const title = name === undefined ? `What waits in ${shown(group)}` : `What ${shown(name)} waits for`
      const dialog = { kind: 'why', title, findings: undefined } as const
      store.set({ dialog })
      const answer = await (name === undefined ? ask('why', group) : ask('why', group, name))
      // It was closed meanwhile.
      if (store.get().dialog !== dialog) return
      store.set(
        answer.ok
          ? { dialog: { ...dialog, findings: answer.value } }
          : { dialog: undefined, refused: answer.refusal.sentence },
      )
    },
    async readText(group: string, name: string): Promise<void> {
      const { user, fileKey } = store.get()
      const text = await beginningOf(addressOf(fileKey, group, name), textBytesMax)
      if (!text.ok) store.set({ refused: text.refusal.sentence })
      else if (user !== undefined) setEntry({ store, user }, { group, name }, { text: text.value })
    },
  }
}
