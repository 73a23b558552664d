// Rate limits: those that there are, and the form for another one, for the whole day or for hours of it.

import type { VNode } from 'preact'
import { minuteOf, ruleAt } from '../../../client/limit-rules.ts'
import type { LimitRule } from '../../../client/operations.ts'
import type { Actions } from '../actions.ts'
import { html, onSubmit, shown, wordOf } from '../html.ts'
import { hoursText, rateText, ruleFrom } from '../limit-form.ts'
import type { PageState } from '../state.ts'
import { dataTable } from './data-table.ts'
import { button, directionField, field, section, submitButton } from './parts.ts'

export function limitsView({ limits, pending }: PageState, actions: Actions): VNode {
  const minute = minuteOf(new Date())
  const holding = (['upload', 'download'] as const).map((direction) => ruleAt(limits, direction, minute))
  return html`<h1 tabindex="-1">Limits</h1>
    ${dataTable<LimitRule>({
      label: 'Limits',
      rows: limits,
      keyOf: (rule) => JSON.stringify([rule.direction, rule.hours, rule.entry]),
      empty: 'Asking for the limits …',
      columns: [
        { heading: 'Direction', width: '8rem', cell: ({ direction }) => direction },
        {
          heading: 'Of',
          width: 'minmax(9rem, 2fr)',
          cell: ({ entry }) =>
            html`<span class="name"
              >${entry === undefined ? 'everything' : `${shown(entry.name)} in ${shown(entry.group)}`}</span
            >`,
        },
        { heading: 'Rate', width: 'minmax(10rem, 1fr)', cell: rateText },
        { heading: 'When', width: '9rem', cell: hoursText },
        {
          heading: 'Now',
          width: '6rem',
          cell: (rule) => (rule.entry !== undefined || holding.includes(rule) ? 'holds' : 'waits'),
        },
      ],
    })}
    ${section('Set a limit', form(pending.has('limit'), actions))}`
}

function form(isPending: boolean, actions: Actions): VNode {
  const onSet = onSubmit((form) => {
    const direction = wordOf(form, 'direction') === 'download' ? 'download' : 'upload'
    const rule = ruleFrom(direction, wordOf(form, 'rate'), wordOf(form, 'from'), wordOf(form, 'to'))
    if (!rule.ok) actions.refuse(rule.refusal.sentence)
    else void actions.setLimit(rule.value, `${direction}: ${rateText(rule.value)}, ${hoursText(rule.value)}`)
  })
  const lift = (direction: 'upload' | 'download'): void =>
    void actions.setLimit({ direction }, `${direction} is not limited`)
  return html`<form onSubmit=${onSet}>
      ${directionField()}
      ${field({ label: 'Rate in bytes a second', name: 'rate', hint: 'Such as 512K, 4M, or none.' })}
      <div class="pair">
        ${field({ label: 'From', name: 'from', type: 'time', isOptional: true, hint: 'Empty for the whole day.' })}
        ${field({ label: 'To', name: 'to', type: 'time', isOptional: true, hint: 'May be on the next day.' })}
      </div>
      ${submitButton('Set the limit', isPending)}
    </form>
    <p class="buttons">
      ${button({ label: 'Lift all limits of uploads', isPending, onPress: () => lift('upload') })}
      ${button({ label: 'Lift all limits of downloads', isPending, onPress: () => lift('download') })}
    </p>`
}
