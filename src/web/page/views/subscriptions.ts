// Subscriptions: what is fetched by itself, what of it is not and why, and the form for another one.

import type { VNode } from 'preact'
import type { SubscriptionView } from '../../../client/subscription-operations.ts'
import { counted } from '../../../common/counted.ts'
import type { Actions } from '../actions.ts'
import { html, onSubmit, shown, wordOf } from '../html.ts'
import type { PageState } from '../state.ts'
import { anchor, button, field, section, submitButton } from './parts.ts'

export function subscriptionsView(state: PageState, actions: Actions): VNode {
  const { subscriptions } = state
  return html`<h1 tabindex="-1">Subscriptions</h1>
    <p>What a group has under such names is fetched by itself, now and later, and so is every new version.</p>
    ${
      subscriptions === undefined
        ? html`<p class="empty">Asking for the subscriptions …</p>`
        : subscriptions.length === 0
          ? html`<p class="empty">There are no subscriptions.</p>`
          : html`<ul class="lines">
              ${subscriptions.map((one) => subscriptionLine(one, state.pending, actions))}
            </ul>`
    }
    ${section('New subscription', form(state, actions))}`
}

function subscriptionLine(
  { group, glob, folder, fetched, held }: SubscriptionView,
  pending: ReadonlySet<string>,
  actions: Actions,
): VNode {
  return html`<li key=${`${group}/${glob}`}>
    <div>
      <strong class="name">${shown(glob)}</strong> of ${anchor({ view: 'group', group }, group)}
      ${' to '}<code>${shown(folder)}</code>, ${counted(fetched, 'name')} fetched
      ${
        held.length === 0
          ? ''
          : html`<ul>
              ${held
                .slice(0, 20)
                .map(
                  ({ name, why }) =>
                    html`<li>
                      ${anchor({ view: 'entry', group, name }, name)} is not fetched: ${shown(why)}
                    </li>`,
                )}
              ${held.length > 20 ? html`<li>and ${held.length - 20} more</li>` : ''}
            </ul>`
      }
    </div>
    ${button({
      label: 'Unsubscribe',
      name: `Unsubscribe from ${shown(glob)} of ${shown(group)}`,
      isPending: pending.has(`unsubscribe ${group}/${glob}`),
      onPress: () => actions.unsubscribe(group, glob),
    })}
  </li>`
}

function form({ groups = [], pending, destination }: PageState, actions: Actions): VNode {
  const own = groups.filter(({ standing }) => standing === 'owner' || standing === 'member')
  if (own.length === 0) return html`<p class="empty">You are in no group yet.</p>`
  const onSubscribe = onSubmit((form) => {
    void actions.subscribe(wordOf(form, 'group'), wordOf(form, 'glob'), wordOf(form, 'folder'))
  })
  return html`<form onSubmit=${onSubscribe}>
    <label class="field">
      <span>Group</span>
      <select name="group">
        ${own.map(({ group }) => html`<option value=${group}>${shown(group)}</option>`)}
      </select>
    </label>
    ${field({ label: 'Names', name: 'glob', hint: 'Such as *.pdf, holiday-??.jpg or *.{jpg,png}; * for all.' })}
    ${field({ label: 'Folder on this computer', name: 'folder', value: destination })}
    ${submitButton('Subscribe', pending.has('subscribe'))}
  </form>`
}
