// Small parts that views share: a bar, a button that waits for its answer, an anchor, a heading.

import type { VNode } from 'preact'
import { percentOf } from '../../../client/prompt/text/amounts.ts'
import { html, shown, type Content } from '../html.ts'
import { linkTo, type Route } from '../routes.ts'

/** `label`: what there is so much of. */
export function progress(part: number, whole: number, label: string): VNode {
  const percent = percentOf(part, whole)
  return html`<span class="progress">
    <progress max="100" value=${percent} aria-label=${label}></progress>
    <span class="number">${percent} %</span>
  </span>`
}

interface ButtonParts {
  readonly label: string
  /** For those who hear the page, where a table has the same word in each row: `Pause film.mkv`. */
  readonly name?: string
  readonly kind?: 'main' | 'plain' | 'danger'
  readonly isPending?: boolean
  readonly onPress: () => void
}

/** One that waits for an answer stays where the focus is, and does nothing meanwhile. */
export function button({ label, name, kind = 'plain', isPending = false, onPress }: ButtonParts): VNode {
  return html`<button
    type="button"
    class=${kind}
    aria-label=${name}
    aria-disabled=${isPending ? 'true' : undefined}
    onClick=${() => isPending || onPress()}
  >
    ${label}
  </button>`
}

/** The button of a form. */
export function submitButton(label: string, isPending: boolean, kind: ButtonParts['kind'] = 'main'): VNode {
  return html`<button type="submit" class=${kind} aria-disabled=${isPending ? 'true' : undefined}>
    ${isPending ? 'One moment …' : label}
  </button>`
}

export function anchor(route: Route, text: string): VNode {
  return html`<a href=${linkTo(route)}>${shown(text)}</a>`
}

/** A part of a view, with its heading. */
export function section(title: string, content: Content): VNode {
  return html`<section>
    <h2>${title}</h2>
    ${content}
  </section>`
}

interface FieldParts {
  readonly label: string
  /** One of those with a hint is in a view once. */
  readonly name: string
  readonly type?: 'text' | 'password' | 'time' | 'search'
  readonly hint?: string
  readonly autocomplete?: string
  readonly value?: string
  readonly isOptional?: boolean
}

export function field(parts: FieldParts): VNode {
  const { label, name, type = 'text', hint, autocomplete = 'off', value, isOptional = false } = parts
  return html`<div class="field">
    <label>
      <span>${label}</span>
      <input
        name=${name}
        type=${type}
        autocomplete=${autocomplete}
        defaultValue=${value}
        required=${!isOptional}
        spellcheck=${false}
        autocapitalize="none"
        aria-describedby=${hint === undefined ? undefined : `${name}-hint`}
      />
    </label>
    ${hint === undefined ? '' : html`<small id=${`${name}-hint`}>${hint}</small>`}
  </div>`
}

/** Of a limit. */
export function directionField(): VNode {
  return html`<label class="field">
    <span>Direction</span>
    <select name="direction">
      <option value="upload">upload</option>
      <option value="download">download</option>
    </select>
  </label>`
}

export function checkbox(label: string, name: string): VNode {
  return html`<label class="check"><input type="checkbox" name=${name} /> <span>${label}</span></label>`
}
