// What stands around every view: the way to the others, who is logged in, whether the client answers, what was
// refused, what was just done, and the window that asks.

import type { VNode } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Actions } from '../actions.ts'
import { capital, component, html, shown, type Content } from '../html.ts'
import { linkTo, type Route } from '../routes.ts'
import type { Connection, OpenDialog, PageState } from '../state.ts'
import { button } from './parts.ts'

const places: readonly (readonly [Route, string])[] = [
  [{ view: 'groups' }, 'Groups'],
  [{ view: 'transfers' }, 'Transfers'],
  [{ view: 'subscriptions' }, 'Subscriptions'],
  [{ view: 'links' }, 'Links'],
  [{ view: 'limits' }, 'Limits'],
  [{ view: 'events' }, 'Events'],
  [{ view: 'checks' }, 'Checks'],
  [{ view: 'account' }, 'Account'],
]

/** Without a user there is nothing in the others. */
const placesOfNobody: typeof places = [
  [{ view: 'account' }, 'Log in'],
  [{ view: 'checks' }, 'Checks'],
]

const connections: Record<Connection, string> = {
  connecting: 'connecting to the client …',
  open: '',
  lost: 'the client does not answer; this page tries again. If it was started again, open its new link',
  refused: '',
}

export function shell(state: PageState, actions: Actions, content: Content): VNode {
  const { route, user, connection, whyRefused, refused, said, dialog } = state
  const standing = connection === 'refused' ? whyRefused : connections[connection]
  const here = placeOf(route, user)
  return html`<div class="page">
    <a class="skip" href="#content" onClick=${toContent}>Skip to the content</a>
    <header>
      <span class="brand">Coterie</span>
      <span class="who">${user === undefined ? 'nobody is logged in' : shown(user)}</span>
      <nav aria-label="Views">
        <ul>
          ${(user === undefined ? placesOfNobody : places).map(
            ([to, word]) =>
              html`<li>
                <a href=${linkTo(to)} aria-current=${to.view === here ? 'page' : undefined}>${word}</a>
              </li>`,
          )}
        </ul>
      </nav>
    </header>
    <div role="status" class=${standing === '' ? 'quiet' : 'banner'}>${standing}</div>
    <div role="alert" class=${refused === '' ? 'quiet' : 'banner bad'}>
      ${
        refused === ''
          ? ''
          : html`<span>${shown(refused)}</span>
              ${button({ label: 'Close', name: 'Close this message', onPress: actions.dismiss })}`
      }
    </div>
    <main id="content" tabindex="-1">${content}</main>
    <p role="status" class="said">${shown(said)}</p>
    ${dialog === undefined ? '' : component(DialogWindow, { dialog, actions, key: dialog.title })}
  </div>`
}

/** Which of the places is shown. */
function placeOf({ view }: Route, user: string | undefined): Route['view'] {
  if (user === undefined) return view === 'checks' ? 'checks' : 'account'
  return view === 'group' || view === 'entry' ? 'groups' : view
}

/** The address belongs to the views, so the anchor must not change it. */
function toContent(event: Event): void {
  event.preventDefault()
  document.querySelector('main')?.focus()
}

/** A window of the browser's own: Escape closes it, the focus stays in it and goes back to where it was. */
function DialogWindow({ dialog, actions }: { dialog: OpenDialog; actions: Actions }): VNode {
  const element = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const before = document.activeElement
    element.current?.showModal()
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus()
    }
  }, [])
  return html`<dialog ref=${element} aria-labelledby="dialog-title" onClose=${actions.closeDialog}>
    <h2 id="dialog-title">${dialog.title}</h2>
    ${dialog.kind === 'question' ? html`<p>${dialog.sentence}</p>` : findings(dialog)}
    <div class="buttons">
      ${
        dialog.kind === 'question' ? button({ label: dialog.yes, kind: 'danger', onPress: dialog.onYes }) : ''
      }
      ${button({ label: dialog.kind === 'question' ? 'No, keep it' : 'Close', onPress: actions.closeDialog })}
    </div>
  </dialog>`
}

function findings({ findings }: Extract<OpenDialog, { kind: 'why' }>): VNode {
  if (findings === undefined) return html`<p role="status">Looking for the reason …</p>`
  if (findings.length === 0) return html`<p role="status">Nothing is waiting: all goes well.</p>`
  return html`<div role="status">
    <ul class="findings">
      ${findings.map(
        ({ code, name, sentence, remedy }) =>
          html`<li>
            ${name === undefined ? '' : html`<p class="name">${shown(name)}</p>`}
            <p><strong>${capital(shown(sentence))}</strong> <code>${code}</code></p>
            <p>${capital(shown(remedy))}</p>
          </li>`,
      )}
    </ul>
  </div>`
}
