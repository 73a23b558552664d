// The page: shows what the client knows, live. The printed link has let this browser in before.

import { render, type VNode } from 'preact'
import { createActions, type Actions } from './actions.ts'
import type { ClientEvent } from '../../client/operations.ts'
import { ask, askTogether } from './api.ts'
import { eventText } from './event-words.ts'
import { shown } from './html.ts'
import { keepRates, keptRates } from './kept-rates.ts'
import { takeKey } from './key.ts'
import { createLoads } from './loads.ts'
import { startPolling } from './polling.ts'
import { parseRoute } from './routes.ts'
import { changesLists, initialState, withEvent, withRoute, withUser, type PageState } from './state.ts'
import { createStore } from './store.ts'
import { listenWithOthers, type Standing } from './tabs.ts'
import { accountView } from './views/account.ts'
import { checksView } from './views/checks.ts'
import { entryView } from './views/entry.ts'
import { eventsView } from './views/events.ts'
import { groupView } from './views/group.ts'
import { groupsView } from './views/groups.ts'
import { limitsView } from './views/limits.ts'
import { linksView } from './views/links.ts'
import { shell } from './views/shell.ts'
import { subscriptionsView } from './views/subscriptions.ts'
import { transfersView } from './views/transfers.ts'

function viewOf(state: PageState, actions: Actions): VNode {
  const { route, user } = state
  if (user === undefined && route.view !== 'checks') return accountView(state, actions)
  switch (route.view) {
    case 'groups':
      return groupsView(state, actions)
    case 'group':
      return groupView(state, route.group, actions)
    case 'entry':
      return entryView(state, route.group, route.name, actions)
    case 'transfers':
      return transfersView(state, actions)
    case 'subscriptions':
      return subscriptionsView(state, actions)
    case 'links':
      return linksView(state, actions)
    case 'limits':
      return limitsView(state, actions)
    case 'events':
      return eventsView(state, actions)
    case 'checks':
      return checksView(state, actions)
    case 'account':
      break
  }
  return accountView(state, actions)
}

function start(root: Element): void {
  takeKey()
  let lastSaid = ''
  let stream = ''
  let saidTimer: ReturnType<typeof setTimeout> | undefined
  const samples = keptRates(sessionStorage, Date.now() / 1000)
  const store = createStore({ ...initialState(parseRoute(location.hash)), samples }, draw)
  window.addEventListener('pagehide', () => keepRates(sessionStorage, store.get().samples))
  const polling = startPolling(
    createLoads(store, ask, askTogether()),
    () => store.get().connection === 'open',
    document,
  )
  const actions = createActions(store, ask, () => polling.soon())
  draw(store.get())
  window.addEventListener('hashchange', () => {
    store.set((state) => withRoute(state, parseRoute(location.hash)))
    polling.soon()
    // The new view begins at its heading, for keyboards and for those who hear it.
    requestAnimationFrame(() => document.querySelector('h1')?.focus())
  })
  // Dropped beside the field for it, a file would take the place of the page.
  for (const kind of ['dragover', 'drop']) window.addEventListener(kind, (event) => event.preventDefault())
  listenWithOthers({ onStanding, onEvent })

  function onStanding(standing: Standing): void {
    if (standing.connection !== 'open') {
      store.set({
        connection: standing.connection,
        whyRefused: standing.connection === 'refused' ? standing.why : '',
      })
      return
    }
    const { user, program, fileKey } = standing.hello
    // Another tab has asked, and this one knows it already.
    if (store.get().connection === 'open' && standing.stream === stream) return
    stream = standing.stream
    // It may be another start of the client, which serves guests elsewhere.
    store.set((state) => ({
      ...withUser(state, user),
      connection: 'open',
      program,
      fileKey,
      guests: undefined,
    }))
    polling.soon()
  }

  function onEvent(event: ClientEvent): void {
    store.set((state) => ({ ...withEvent(state, event, Date.now()), said: eventText(event) }))
    if (event.kind === 'user-changed') polling.soon()
    else if (changesLists(event)) polling.nextTime()
  }

  function forgetSaid(said: string): void {
    if (said === lastSaid) return
    lastSaid = said
    clearTimeout(saidTimer)
    if (said !== '') saidTimer = setTimeout(() => store.set({ said: '' }), saidForMs)
  }

  function draw(state: PageState): void {
    const content = viewOf(state, actions)
    render(shell(state, actions, content), root)
    document.title = titleOf(state)
    forgetSaid(state.said)
  }
}

/** What was done is over some seconds later, so that it covers nothing; events stay in their view. */
const saidForMs = 8000

function titleOf({ route, user }: PageState): string {
  if (user === undefined && route.view !== 'checks') return 'Log in – Coterie'
  if (route.view === 'entry') return `${shown(route.name)} – Coterie`
  if (route.view === 'group') return `${shown(route.group)} – Coterie`
  return `${route.view.charAt(0).toUpperCase()}${route.view.slice(1)} – Coterie`
}

const root = document.querySelector('#page')
if (root !== null) start(root)
