// The addresses of the views, behind the # of the page's own: a reload or a bookmark shows the same again. Pure.

export type Route =
  | { readonly view: 'groups' }
  | { readonly view: 'group'; readonly group: string }
  | { readonly view: 'entry'; readonly group: string; readonly name: string }
  | { readonly view: 'transfers' }
  | { readonly view: 'subscriptions' }
  | { readonly view: 'links' }
  | { readonly view: 'limits' }
  | { readonly view: 'events' }
  | { readonly view: 'checks' }
  | { readonly view: 'account' }

const plain = [
  'groups',
  'transfers',
  'subscriptions',
  'links',
  'limits',
  'events',
  'checks',
  'account',
] as const

/** As a link takes it: `#/groups/family/film.mkv`. */
export function linkTo(route: Route): string {
  const words =
    route.view === 'group'
      ? ['groups', route.group]
      : route.view === 'entry'
        ? ['groups', route.group, route.name]
        : [route.view]
  return `#/${words.map(encodeURIComponent).join('/')}`
}

/** Of anything else the first view: an old bookmark is no error. */
export function parseRoute(hash: string): Route {
  const [view = '', group, name, ...more] = hash.replace(/^#\/?/, '').split('/').map(decoded)
  if (view === 'groups' && group !== undefined && group !== '') {
    if (name !== undefined && name !== '' && more.length === 0) return { view: 'entry', group, name }
    return { view: 'group', group }
  }
  return { view: plain.find((one) => one === view) ?? 'groups' }
}

function decoded(word: string): string {
  try {
    return decodeURIComponent(word)
  } catch {
    return word
  }
}
