// The page at a link: what there is to fetch, and a button. It has no script. Names come from others, and are text.

import { createHash } from 'node:crypto'
import { html, raw } from 'hono/html'
import { counted } from '../../common/counted.ts'
import { escapeText } from '../../common/escape.ts'
import { formatSize } from '../../common/sizes.ts'
import type { GuestEntry, GuestFile } from '../../client/guest-links.ts'

const style = `
:root { background: #fff; color: #1a1a1a; color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 0; }
main { margin: 0 auto; max-width: 40rem; padding: 3rem 1.25rem; }
a { color: #14532d; }
h1 { font-size: 1.5rem; line-height: 1.25; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.25rem; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
code { font-size: .875rem; }
.button { background: #14532d; border-radius: .375rem; color: #fff; display: inline-block; margin: 1rem 0; padding: .625rem 1.25rem; text-decoration: none; }
.button:focus-visible { outline: .1875rem solid; outline-offset: .125rem; }
ul { list-style: none; padding: 0; }
li { display: flex; gap: 1rem; justify-content: space-between; padding: .125rem 0; }
li a { overflow-wrap: anywhere; }
li span { white-space: nowrap; }
h2 { font-size: 1.125rem; }
@media (prefers-color-scheme: dark) {
  :root { background: #121412; color: #e8e8e8; }
  a { color: #86d6a2; }
  dt { color: #aaa; }
  .button { background: #86d6a2; color: #0c1a10; }
}
`

/** In one piece, since its hash counts. */
const styleElement = raw(`<style>${style}</style>`)

/** Nothing is loaded or run; a link saves a file, and goes nowhere else. */
export const guestPagePolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
  'sandbox allow-downloads',
].join('; ')

export interface GuestPageParts {
  readonly secret: string
  readonly entry: GuestEntry
  /** Of a folder: the first few of its files. */
  readonly files: readonly GuestFile[]
}

type Text = ReturnType<typeof html>

export function guestPage({ secret, entry, files }: GuestPageParts): Text {
  const { name, user, sizeBytes, untilMs } = entry
  const isFolder = entry.files !== undefined
  const size = `${formatSize(sizeBytes)} (${counted(sizeBytes, 'byte')})`
  const until = new Date(untilMs).toISOString()
  const target = `${secret}/${encodeURIComponent(isFolder ? `${name}.tar` : name)}`
  const shown = escapeText(name)
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <meta name="robots" content="noindex" />
      <title>${shown}</title>
      ${styleElement}
      <main>
        <h1><bdi>${shown}</bdi></h1>
        <dl>
          <dt>Size</dt>
          <dd>${size}${isFolder ? `, ${counted(entry.files ?? 0, 'file')}` : ''}</dd>
          <dt>Shared by</dt>
          <dd><bdi>${escapeText(user)}</bdi></dd>
          <dt>Until</dt>
          <dd><time datetime="${until}">${until.slice(0, 16).replace('T', ' ')} UTC</time></dd>
          ${isFolder ? '' : sumOf(entry)}
        </dl>
        <p>
          <a class="button" href="${target}" download
            >${isFolder ? 'Save all as a tar archive' : 'Save the file'}</a
          >
        </p>
        ${isFolder ? listOf(secret, entry, files) : ''}
      </main>
    </html>`
}

function sumOf({ sha256 }: GuestEntry): Text {
  const sum = sha256 === undefined ? 'being worked out; load this page again' : html`<code>${sha256}</code>`
  return html`<dt>SHA-256</dt>
    <dd>${sum}</dd>`
}

function listOf(secret: string, entry: GuestEntry, files: readonly GuestFile[]): Text {
  const more = (entry.files ?? 0) - files.length
  return html`<h2>Its files, each by itself</h2>
    <ul>
      ${files.map(({ path, sizeBytes }) => {
        const target = [secret, entry.name, ...path.split('/')].map(encodeURIComponent).join('/')
        return html`<li>
          <a href="${target}" download><bdi>${escapeText(path)}</bdi></a>
          <span>${formatSize(sizeBytes)}</span>
        </li>`
      })}
    </ul>
    ${more > 0 ? html`<p>${counted(more, 'further file')} in the archive</p>` : ''}`
}
