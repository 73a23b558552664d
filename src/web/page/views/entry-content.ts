// The content of an entry: a link that saves it, pictures, text, sound and films to look at, the files of a folder.

import type { VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { formatSize } from '../../../common/sizes.ts'
import type { TreeEntry } from '../../../common/tree/tree.ts'
import type { Actions } from '../actions.ts'
import { addressOf } from '../api.ts'
import { component, html, shown } from '../html.ts'
import { lookFor, type Look } from '../looks.ts'
import type { EntryDetails, PageState } from '../state.ts'
import { dataTable } from './data-table.ts'
import { button, section } from './parts.ts'

/** Nothing of what is not on its way here: there are no bytes of it. */
export function entryContent({ fileKey }: PageState, entry: EntryDetails, actions: Actions): VNode | string {
  const { group, name, view, files } = entry
  const address = (path?: string): string => addressOf(fileKey, group, name, path)
  if (files !== undefined)
    return section('What is in it', folder(files, view === undefined ? undefined : address))
  if (view === undefined) return ''
  const look = lookFor(name)
  return section(
    'Content',
    html`<p><a href=${address()} download=${name}>Save ${shown(name)}</a></p>
      ${look === undefined ? '' : component(Looking, { key: `${group}/${name}`, entry, look, address: address(), actions })}`,
  )
}

interface LookingParts {
  readonly entry: EntryDetails
  readonly look: Look
  readonly address: string
  readonly actions: Actions
}

/** Nothing is read before somebody asks: looking fetches what is watched first. */
function Looking({ entry, look, address, actions }: LookingParts): VNode {
  const [isOpen, setOpen] = useState(false)
  const { group, name, text } = entry
  const onLook = (): void => {
    setOpen(true)
    if (look === 'text') void actions.readText(group, name)
  }
  if (!isOpen) return button({ label: look === 'sound' ? 'Listen' : 'Look at it', onPress: onLook })
  if (look !== 'text') return component(Media, { look, address, name })
  return text === undefined
    ? html`<p class="empty">It is shown as soon as its beginning is here.</p>`
    : html`<pre class="look" tabindex="0" aria-label=${`Text of ${shown(name)}`} role="region">${text}</pre>`
}

/**
 * Ends with the view: what a browser has taken out of a page plays on, and keeps one of its few connections to the client.
 */
function Media({ look, address, name }: { look: Look; address: string; name: string }): VNode {
  const box = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const [element] = box.current?.children ?? []
    return () => {
      element?.removeAttribute('src')
      if (element instanceof HTMLMediaElement) element.load()
    }
  }, [])
  const picture = html`<img class="look" src=${address} alt=${`Picture ${shown(name)}`} />`
  const sound = html`<audio class="look" src=${address} controls autoplay></audio>`
  const film = html`<video class="look" src=${address} controls autoplay></video>`
  return html`<div ref=${box}>${look === 'picture' ? picture : look === 'sound' ? sound : film}</div>`
}

/** `address`: of one of the files, where they are here. */
function folder(files: readonly TreeEntry[], address: ((path: string) => string) | undefined): VNode {
  return dataTable<TreeEntry>({
    label: 'Files of the folder',
    rows: files,
    keyOf: ({ path }) => path,
    empty: 'The folder is empty.',
    columns: [
      {
        heading: 'Path',
        width: 'minmax(12rem, 3fr)',
        sortBy: ({ path }) => path,
        cell: (file) =>
          html`<span class="name">
            ${
              file.kind === 'folder' || address === undefined
                ? shown(file.kind === 'folder' ? `${file.path}/` : file.path)
                : html`<a href=${address(file.path)} download="">${shown(file.path)}</a>`
            }
          </span>`,
      },
      {
        heading: 'Size',
        width: '8rem',
        isNumber: true,
        sortBy: (file) => (file.kind === 'folder' ? undefined : file.sizeBytes),
        cell: (file) => (file.kind === 'folder' ? '' : formatSize(file.sizeBytes)),
      },
    ],
  })
}
