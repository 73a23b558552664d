// Which requests come from the page of this client in a browser that knows it, by their headers. Other pages, in the same
// browser, can send requests to this port too, some of them with the cookie; so can other programs and other users of
// this machine, without it.

import { webRefusal, type WebRefusal } from './refusals.ts'

/** Has the key of the page. A page of another origin cannot send it without being allowed to, which nothing here does. */
const keyHeader = 'x-coterie'

/** Headers of a request, by their names in small letters. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>

/**
 * Whether the request meant this server: a page of another name, whose owner has it lead to this machine, is sent to
 * `127.0.0.1` under that name (DNS rebinding).
 */
export function hostRefusal(headers: RequestHeaders, port: number): WebRefusal | undefined {
  const host = headers['host']
  if (host === `127.0.0.1:${port}` || host === `localhost:${port}`) return undefined
  return webRefusal(
    'wrong-host',
    `the page of Coterie was asked for under the name ${shown(host)}, and answers only at http://127.0.0.1:${port}/`,
  )
}

/**
 * Whether it comes from this page, where the browser says where it comes from. `isOfScripts`: it is no page that a person
 * may come to by a link elsewhere.
 */
export function originRefusal(headers: RequestHeaders, isOfScripts: boolean): WebRefusal | undefined {
  const origin = headers['origin']
  const own = `http://${String(headers['host'])}`
  if (origin !== undefined && origin !== own) return ofOtherPage(`the page ${shown(origin)}`)
  const site = headers['sec-fetch-site']
  // "none": the person typed or opened it. "same-site" is another port of this machine.
  if (!isOfScripts || site === undefined || site === 'same-origin' || site === 'none') return undefined
  return ofOtherPage('another page')
}

function ofOtherPage(who: string): WebRefusal {
  return webRefusal(
    'other-page',
    `a request of ${who} was refused: only the page of this client may ask it; show_page at the prompt prints a link to it`,
  )
}

export function cookieRefusal(): WebRefusal {
  return webRefusal(
    'no-cookie',
    'this browser is not known to the client, or the client was started again: type show_page at its prompt, and open the link that it prints',
  )
}

/** The key that scripts of the page show: forms and images of other pages send no header. Empty without one. */
export function keyIn(headers: RequestHeaders): string {
  return String(headers[keyHeader] ?? '')
}

/** For whoever has the cookie, which other ports of this machine may have got from the browser, and not the key. */
export function keyRefusal(): WebRefusal {
  return webRefusal(
    'no-key',
    'a request without the key of the page was refused: the scripts of the page send it in the header X-Coterie, and no form or other page can; show_page at the prompt of the client prints a link that lets a browser in',
  )
}

/** The cookie of that name, as a browser sends it. */
export function cookieIn(headers: RequestHeaders, name: string): string | undefined {
  const cookies = String(headers['cookie'] ?? '').split(';')
  return cookies
    .map((each) => each.trim())
    .find((each) => each.startsWith(`${name}=`))
    ?.slice(name.length + 1)
}

const shownCharactersMax = 100

function shown(value: string | string[] | undefined): string {
  return value === undefined ? '""' : JSON.stringify(String(value).slice(0, shownCharactersMax))
}
