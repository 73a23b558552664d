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
    const [part, from] = [wordOf(form, 'part'), wordOf(form, 'from')]
    void actions.download(group, part === '' ? name : `${name}/${part}`, wordOf(form, 'destination'), {
      overwrite: form.has('overwrite'),
      ...(form.has('adopt') && { adopt: true }),
      ...(from !== '' && { from }),
    })
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
        ${
          entry.versions[0]?.files === undefined
            ? ''
            : field({
                label: 'Only this part of the folder',
                name: 'part',
                isOptional: true,
                hint: 'A path in it, or a pattern such as **/*.jpg. Empty for all of it.',
              })
        }
        <details>
          <summary>When something of it is here already</summary>
          ${checkbox('Replace what is there', 'overwrite')}
          ${checkbox('Take what is there, if it is the same', 'adopt')}
          ${field({
            label: 'Another file or folder that may have parts of it',
            name: 'from',
            isOptional: true,
            hint: 'A path from /. What is found there is not fetched.',
          })}
        </details>
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
