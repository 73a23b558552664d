// Where the links of documents lead.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/**
 * The links and pictures of the documents in this folder and in its `docs` that lead nowhere, as `docs/page.md: target`.
 * Those to the web are not tried. A path from the root is looked for in `root`.
 */
export function linksToNothing(folder: string, root = '/'): string[] {
  return ['.', 'docs'].flatMap((part) =>
    readdirSync(join(folder, part))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, part, name))
      .flatMap((document) =>
        targetsIn(readFileSync(document, 'utf8'))
          .filter((target) => !target.startsWith('https://') && !leadsSomewhere(document, target, root))
          .map((target) => `${relative(folder, document)}: ${target}`),
      ),
  )
}

function targetsIn(text: string): string[] {
  return Array.from(text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g), ([, link, picture]) =>
    String(link ?? picture),
  )
}

function leadsSomewhere(document: string, target: string, root: string): boolean {
  const [file = '', anchor] = target.split('#')
  const path = file.startsWith('/') ? join(root, file) : join(dirname(document), file)
  const found = file === '' ? document : path
  return existsSync(found) && (anchor === undefined || anchorsOf(found).includes(anchor))
}

function anchorsOf(document: string): string[] {
  return Array.from(readFileSync(document, 'utf8').matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    anchorOf(heading),
  )
}

/** As GitHub makes them from headings. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')
}
