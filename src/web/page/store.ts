// Holds the state of the page, and tells who draws it when it has changed.

import type { PageState } from './state.ts'

export interface Store {
  get(): PageState
  /** Replaces the state, or the fields that are given. */
  set(change: Partial<PageState> | ((state: PageState) => PageState)): void
}

/** `onChange` is called once for all changes of a turn, before the next picture. */
export function createStore(initial: PageState, onChange: (state: PageState) => void): Store {
  let state = initial
  let isAsked = false
  const tell = (): void => {
    isAsked = false
    onChange(state)
  }
  return {
    get: () => state,
    set(change) {
      const next = typeof change === 'function' ? change(state) : { ...state, ...change }
      if (next === state) return
      state = next
      if (isAsked) return
      isAsked = true
      // A hidden tab gets no pictures, but a reader of the screen may be there.
      if (document.visibilityState === 'visible') requestAnimationFrame(tell)
      else queueMicrotask(tell)
    },
  }
}
