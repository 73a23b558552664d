// As what a browser may show the bytes of others: pictures, sounds, films, and all that is text as plain text. Nothing of
// theirs is ever a page, or a picture that can hold scripts.

import { extname } from 'node:path'

const shown: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'image/png': 'png',
    'image/jpeg': 'jpg jpeg',
    'image/gif': 'gif',
    'image/webp': 'webp',
    'image/avif': 'avif',
    'image/bmp': 'bmp',
    'audio/mpeg': 'mp3',
    'audio/ogg': 'ogg oga opus',
    'audio/wav': 'wav',
    'audio/flac': 'flac',
    'audio/mp4': 'm4a',
    'audio/aac': 'aac',
    'audio/webm': 'weba',
    'video/mp4': 'mp4 m4v',
    'video/webm': 'webm',
    'video/ogg': 'ogv',
    'video/quicktime': 'mov',
    'text/plain; charset=utf-8':
      'txt md log csv tsv json xml yaml yml toml ini conf srt vtt c h js ts py sh html css',
  }).flatMap(([type, names]) => names.split(' ').map((name) => [`.${name}`, type] as const)),
)

/** Undefined for what is only saved. */
export function shownType(name: string): string | undefined {
  return shown.get(extname(name).toLowerCase())
}
