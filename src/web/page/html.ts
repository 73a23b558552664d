// Writes views: htm's templates, read while the page runs, so that no build step has to know them. What stands in a
// template as a value becomes a text node or an attribute, never HTML.

import htm from 'htm'
import { h, type ComponentChildren, type FunctionComponent, type VNode } from 'preact'
import { escapeText } from '../../common/escape.ts'

export const html = htm.bind(h) as (strings: TemplateStringsArray, ...values: unknown[]) => VNode

/** What a view may put into another. */
export type Content = ComponentChildren

/** A part of a view that remembers something by itself. `key`: another one is another part. */
export function component<Parts extends object>(
  type: FunctionComponent<Parts>,
  parts: Parts & { readonly key?: string },
): VNode {
  return h(type, parts) as VNode
}

/** A name that others chose: what could turn the line around or hide in it is shown, as at a terminal. */
export function shown(text: string): string {
  return escapeText(text)
}

/** A sentence of the client as one of the page. */
export function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1)
}

/** The words of a form's field, without spaces around them; empty where there is none. */
export function wordOf(form: FormData, field: string): string {
  const value = form.get(field)
  return typeof value === 'string' ? value.trim() : ''
}

/** A password as it was typed: spaces belong to it. */
export function passwordOf(form: FormData): string {
  const value = form.get('password')
  return typeof value === 'string' ? value : ''
}

/** Hands on what was typed, without leaving the page. */
export function onSubmit(take: (form: FormData, element: HTMLFormElement) => void): (event: Event) => void {
  return (event) => {
    event.preventDefault()
    const element = event.currentTarget as HTMLFormElement
    take(new FormData(element), element)
  }
}
