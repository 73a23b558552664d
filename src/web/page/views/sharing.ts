// Sharing into a group: by a path on this computer, or by dropping files, which are copied first.

import type { VNode } from 'preact'
import type { Actions } from '../actions.ts'
import { html, onSubmit, shown, wordOf } from '../html.ts'
import type { DroppedFile, PageState } from '../state.ts'
import { checkbox, field, progress, submitButton } from './parts.ts'

export function sharing(group: string, { pending, dropFolder, drops }: PageState, actions: Actions): VNode {
  const isPending = pending.has('share')
  const onShare = onSubmit((form, element) => {
    void actions
      .share(wordOf(form, 'path'), group, form.has('skipSpecial'))
      .then((isDone) => isDone && element.reset())
  })
  const drop = (files: FileList | null | undefined): void => void actions.drop([...(files ?? [])], group)
  return html`<form onSubmit=${onShare}>
      ${field({
        label: 'Path of a file or folder on this computer',
        name: 'path',
        hint: 'It stays where it is, and is read from there.',
      })}
      ${checkbox('Of a folder leave out links, sockets, devices and pipes', 'skipSpecial')}
      ${submitButton('Share it', isPending)}
    </form>
    <div class="field copies">
      <label>
        <span>Folder on this computer for copies of dropped files</span>
        <input
          value=${dropFolder}
          spellcheck=${false}
          autocomplete="off"
          aria-describedby="copies-hint"
          onInput=${(event: Event) => actions.copyTo((event.currentTarget as HTMLInputElement).value)}
        />
      </label>
      <small id="copies-hint">Empty for the one that the client was started with: --drop-folder.</small>
    </div>
    <label
      class="drop"
      onDragOver=${(event: DragEvent) => event.preventDefault()}
      onDrop=${(event: DragEvent) => {
        event.preventDefault()
        drop(event.dataTransfer?.files)
      }}
    >
      <span>Or drop files here, or choose them: they are copied, and the copies are shared.</span>
      <input
        type="file"
        multiple
        onChange=${(event: Event) => {
          const input = event.currentTarget as HTMLInputElement
          drop(input.files)
          input.value = ''
        }}
      />
    </label>
    ${drops.length === 0 ? '' : copying(drops)}`
}

function copying(drops: readonly DroppedFile[]): VNode {
  return html`<ul class="lines copying" aria-label="Files that are copied">
    ${drops.map(
      ({ group, name, sizeBytes, bytesDone }, at) =>
        html`<li key=${`${group}/${name}`}>
          <span class="name">${shown(name)} <span class="mark">${shown(group)}</span></span>
          ${at === 0 ? progress(bytesDone, Math.max(1, sizeBytes), `Of ${shown(name)} copied`) : 'waits for its turn'}
        </li>`,
    )}
  </ul>`
}
