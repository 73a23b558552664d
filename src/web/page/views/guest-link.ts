// A link for a guest to an entry that is shared here: the form that makes one, and the link itself, which is shown once.

import type { VNode } from 'preact'
import { formatDay } from '../../../client/prompt/text/days.ts'
import { parseLinkOptions } from '../../../client/prompt/text/links.ts'
import { counted } from '../../../common/counted.ts'
import type { Actions } from '../actions.ts'
import { html, onSubmit, shown, wordOf } from '../html.ts'
import { linkTo } from '../routes.ts'
import { showsMadeLink, type PageState } from '../state.ts'
import { button, field, submitButton } from './parts.ts'

export function guestLink(state: PageState, group: string, name: string, actions: Actions): VNode | string {
  const { guests, pending } = state
  if (guests === undefined) return ''
  if (guests.place === undefined)
    return html`<p class="faint">
      This client serves no guests. <a href=${linkTo({ view: 'links' })}>Links</a> says how it does.
    </p>`
  const onMake = onSubmit((form) => {
    const [duration, times] = [wordOf(form, 'duration'), wordOf(form, 'times')]
    const options = parseLinkOptions(duration, times === '' ? undefined : times)
    if (!options.ok) actions.refuse(options.refusal.sentence)
    else void actions.shareLink(group, name, options.value)
  })
  return html`<p>Whoever has the link fetches this from here, without an account, until it ends.</p>
    ${madeLinkBox(state, actions)}
    <form class="inline" onSubmit=${onMake}>
      ${field({ label: 'How long it is good', name: 'duration', value: '24h', hint: 'Such as 2h, 24h or 7d.' })}
      ${field({ label: 'How often it may be used', name: 'times', isOptional: true, hint: 'Empty for any number.' })}
      ${submitButton('Make a link', pending.has(`link ${group}/${name}`))}
    </form>`
}

/** Empty where there is none, or it belongs to another view. */
export function madeLinkBox(state: PageState, actions: Actions): VNode | string {
  const { madeLink } = state
  if (madeLink === undefined || !showsMadeLink(state)) return ''
  const { link, name, url, untilMs, times, fingerprint } = madeLink
  const often = times === undefined ? '' : `, ${counted(times, 'time')}`
  return html`<div class="made" role="group" aria-label="The new link">
    <p>
      <strong class="name">Link ${link} to ${shown(name)}</strong>
      ${` is good until ${formatDay(untilMs)}${often}:`}
    </p>
    <p><code class="secret">${url}</code></p>
    ${
      fingerprint === undefined
        ? ''
        : html`<p>
              Browsers warn of its certificate, since nobody vouches for it. Send your guest its SHA-256
              fingerprint too, by another way than the link, to compare:
            </p>
            <p><code class="secret">${fingerprint}</code></p>`
    }
    <p class="faint">The link is shown this once: when you leave this view, it is gone.</p>
    <div class="buttons">
      ${button({ label: 'Copy the link', onPress: () => void actions.copy(url, 'the link') })}
      ${
        fingerprint === undefined
          ? ''
          : button({
              label: 'Copy the fingerprint',
              onPress: () => void actions.copy(fingerprint, 'the fingerprint'),
            })
      }
      ${button({ label: 'Close', name: 'Close the new link', onPress: actions.closeLink })}
    </div>
  </div>`
}
