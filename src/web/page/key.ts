// The key with which the page asks the client. The link that was opened brings it; it is kept for the other tabs and for
// reloads, where no page of another address or port can read it, and goes out in a header alone.

const place = 'key'

/** Keeps the key that a link has just brought, and leaves the address without the link's token. */
export function takeKey(): void {
  const brought = document.querySelector<HTMLMetaElement>('meta[name=key]')?.content
  if (brought === undefined) return
  localStorage.setItem(place, brought)
  history.replaceState(null, '', `/${location.hash}`)
}

/** Read each time: a link that was opened in another tab may have brought a new one. */
export function keyHeader(): Readonly<Record<string, string>> {
  return { 'X-Coterie': localStorage.getItem(place) ?? '' }
}

/** Calls back whenever another tab has got a key. */
export function onNewKey(act: () => void): void {
  window.addEventListener('storage', ({ key }) => key === place && act())
}
