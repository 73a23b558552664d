// The limits of one entry, and the form that sets them: they hold besides those of all transfers.

import type { VNode } from 'preact'
import type { LimitRule } from '../../../client/operations.ts'
import type { Actions } from '../actions.ts'
import { html, onSubmit, shown, wordOf } from '../html.ts'
import { rateText, ruleFrom } from '../limit-form.ts'
import type { PageState } from '../state.ts'
import { directionField, field, submitButton } from './parts.ts'

export function entryLimits(
  { limits, pending }: PageState,
  group: string,
  name: string,
  actions: Actions,
): VNode {
  const own = limits.filter(({ entry }) => entry?.group === group && entry.name === name)
  const onSet = onSubmit((form) => {
    const direction = wordOf(form, 'direction') === 'download' ? 'download' : 'upload'
    const rule = ruleFrom(direction, wordOf(form, 'rate'), '', '')
    if (!rule.ok) actions.refuse(rule.refusal.sentence)
    else
      void actions.setLimit(
        { ...rule.value, entry: { group, name } },
        `${direction} of ${shown(name)}: ${rateText(rule.value)}`,
      )
  })
  return html`<p>${own.length === 0 ? 'No limit of its own.' : `${own.map(words).join(', ')}.`}</p>
    <form class="inline" onSubmit=${onSet}>
      ${directionField()}
      ${field({ label: 'Rate in bytes a second', name: 'rate', hint: 'Such as 512K, 4M, or none.' })}
      ${submitButton('Set the limit', pending.has('limit'))}
    </form>`
}

function words(rule: LimitRule): string {
  return `${rule.direction}: ${rateText(rule)}`
}
