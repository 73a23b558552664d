// As what an entry can be looked at in the page, by its name. Pure.

export type Look = 'picture' | 'sound' | 'film' | 'text'

/** Those that browsers show, and that run nothing: SVG and HTML are text here. */
const endings: Record<Look, readonly string[]> = {
  picture: ['apng', 'avif', 'bmp', 'gif', 'jpeg', 'jpg', 'png', 'webp'],
  sound: ['aac', 'flac', 'm4a', 'mp3', 'oga', 'ogg', 'opus', 'wav'],
  film: ['m4v', 'mkv', 'mov', 'mp4', 'ogv', 'webm'],
  text: [
    'c',
    'css',
    'csv',
    'html',
    'ini',
    'js',
    'json',
    'log',
    'md',
    'py',
    'sh',
    'svg',
    'toml',
    'ts',
    'txt',
    'xml',
    'yaml',
    'yml',
  ],
}
const looks = new Map(
  (Object.keys(endings) as Look[]).flatMap((look) => endings[look].map((ending) => [ending, look] as const)),
)

/** Undefined for what can only be saved. */
export function lookFor(name: string): Look | undefined {
  const ending = /\.([^.]+)$/.exec(name)?.[1]
  return ending === undefined ? undefined : looks.get(ending.toLowerCase())
}
