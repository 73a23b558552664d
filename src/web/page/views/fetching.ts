// An entry that is not here: what the group says of it, and the form that fetches it.

import type { VNode } from 'preact'
import { counted } from '../../../common/counted.ts'
import { formatSize } from '../../../common/sizes.ts'
import type { Actions } from '../actions.ts'
import { html, onSubmit, wordOf } from '../html.ts'
import type { EntryDetails, PageState } from '../state.ts'
import { button, checkbox, field, section, submitButton } from './parts.ts'

export function fetching(state: PageState, entry: EntryDetails, actions: Actions): VNode {
  const { group, name, listed } = entry
  const onFetch = onSubmit((form) => {
    void actions.download(group, name, wordOf(form, 'destination'), form.has('overwrite'))
  })
  return html`<p class="state">
      ${
        listed === undefined
          ? 'Not on this computer.'
          : `Not on this computer. ${formatSize(listed.sizeBytes)}, ${seedersText(listed.seeders)}.`
      }
    </p>
    ${section(
      'Download it',
      html`<form onSubmit=${onFetch}>
        ${field({
          label: 'Folder or path on this computer',
          name: 'destination',
          value: state.destination,
          hint: 'Others in the group get it from here afterwards.',
        })}
        ${checkbox('Replace what is there', 'overwrite')}
        <div class="buttons">
          ${submitButton('Download', state.pending.has(`download ${group}/${name}`))}
          ${button({ label: 'Why would it wait?', onPress: () => void actions.why(group, name) })}
        </div>
      </form>`,
    )}`
}

function seedersText(seeders: number): string {
  return seeders === 0 ? 'and nobody who has it is online' : `${counted(seeders, 'seeder')} online`
}
