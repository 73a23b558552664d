// Whether this client has what it needs to work: address, trackers, clock, disk, permissions and versions.

import type { VNode } from 'preact'
import { useEffect } from 'preact/hooks'
import type { Check } from '../../../client/diagnosis/checks.ts'
import type { Actions } from '../actions.ts'
import { capital, component, html, shown } from '../html.ts'
import type { PageState } from '../state.ts'
import { button } from './parts.ts'

const words: Record<Check['state'], string> = { ok: 'fine', warning: 'worth knowing', problem: 'a problem' }

export function checksView({ checks, pending }: PageState, actions: Actions): VNode {
  return component(Checks, { checks, isLooking: pending.has('doctor'), actions })
}

interface ChecksParts {
  readonly checks: readonly Check[] | undefined
  readonly isLooking: boolean
  readonly actions: Actions
}

function Checks({ checks, isLooking, actions }: ChecksParts): VNode {
  // It asks others for their time, so only when somebody comes to see it.
  useEffect(() => void actions.check(), [])
  return html`<h1 tabindex="-1">Checks</h1>
    <p>Whether this client has what it needs to share and to fetch.</p>
    <div role="status">
      ${checks === undefined ? html`<p class="empty">Looking …</p>` : ''}
      <ul class="lines">
        ${(checks ?? []).map(checkLine)}
      </ul>
    </div>
    ${button({ label: isLooking ? 'Looking …' : 'Check again', isPending: isLooking, onPress: () => void actions.check() })}`
}

function checkLine({ check, state, sentence, remedy }: Check): VNode {
  return html`<li key=${`${check} ${sentence}`} class="check-line">
    <span class=${`verdict ${state}`}>${words[state]}</span>
    <div>
      <p>${capital(shown(sentence))}</p>
      ${remedy === undefined ? '' : html`<p class="faint">${capital(shown(remedy))}</p>`}
    </div>
  </li>`
}
