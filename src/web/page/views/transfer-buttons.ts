// What can be done with a download: pause, resume, cancel, its priority, and the question what it waits for.

import type { VNode } from 'preact'
import { priorities, type DownloadState, type Priority } from '../../../client/operations.ts'
import type { Actions } from '../actions.ts'
import { html, shown } from '../html.ts'
import { button } from './parts.ts'

interface Transfer {
  readonly group: string
  readonly name: string
  readonly state: DownloadState | 'shared'
  readonly priority?: Priority
}

export function transferButtons(
  { group, name, state, priority = 'normal' }: Transfer,
  pending: ReadonlySet<string>,
  actions: Actions,
): VNode | string {
  if (state === 'complete' || state === 'shared') return ''
  const isPending = pending.has(`run ${group}/${name}`)
  const called = shown(name)
  const goOn =
    state === 'running'
      ? button({
          label: 'Pause',
          name: `Pause ${called}`,
          isPending,
          onPress: () => void actions.pause(group, name),
        })
      : button({
          label: 'Resume',
          name: `Resume ${called}`,
          isPending,
          onPress: () => void actions.resume(group, name),
        })
  return html`<span class="buttons">
    ${goOn}
    ${button({ label: 'Cancel', name: `Cancel ${called}`, isPending, onPress: () => actions.cancel(group, name) })}
    ${button({ label: 'Why?', name: `Why? ${called}`, onPress: () => void actions.why(group, name) })}
    <select
      aria-label=${`Priority of ${called}`}
      value=${priority}
      onChange=${(event: Event) => {
        const chosen = (event.currentTarget as HTMLSelectElement).value
        const meant = priorities.find((one) => one === chosen)
        if (meant !== undefined) void actions.prioritize(group, name, meant)
      }}
    >
      ${priorities.map((one) => html`<option value=${one}>${one}</option>`)}
    </select>
  </span>`
}
