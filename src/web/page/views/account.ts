// Logging in, making an account, and what the user of one can do with it.

import type { VNode } from 'preact'
import type { Actions } from '../actions.ts'
import { html, onSubmit, passwordOf, shown, wordOf } from '../html.ts'
import type { PageState } from '../state.ts'
import { button, checkbox, field, section, submitButton } from './parts.ts'

export function accountView(state: PageState, actions: Actions): VNode {
  return state.user === undefined ? loginView(state, actions) : ownView(state, state.user, actions)
}

function loginView({ pending }: PageState, actions: Actions): VNode {
  const onLogin = onSubmit((form, element) => {
    void actions
      .login(wordOf(form, 'user'), passwordOf(form), form.has('remember'))
      .then((isDone) => isDone && element.reset())
  })
  const onCreate = onSubmit((form, element) => {
    void actions
      .createUser(wordOf(form, 'user'), passwordOf(form), wordOf(form, 'invite'))
      .then((isDone) => isDone && element.reset())
  })
  const onReset = onSubmit((form, element) => {
    void actions
      .resetPassword(wordOf(form, 'user'), wordOf(form, 'code'), passwordOf(form))
      .then((isDone) => isDone && element.reset())
  })
  return html`<h1 tabindex="-1">Log in</h1>
    <form onSubmit=${onLogin}>
      ${field({ label: 'User', name: 'user', autocomplete: 'username' })}
      ${field({ label: 'Password', name: 'password', type: 'password', autocomplete: 'current-password' })}
      ${checkbox('Log in by itself when the client starts again', 'remember')}
      ${submitButton('Log in', pending.has('login'))}
    </form>
    ${section(
      'New here?',
      html`<form onSubmit=${onCreate}>
        ${field({ label: 'User', name: 'user' })}
        ${field({ label: 'Password', name: 'password', type: 'password', autocomplete: 'new-password' })}
        ${field({
          label: 'Invitation',
          name: 'invite',
          isOptional: true,
          hint: 'A code from whoever runs the tracker, where one is needed.',
        })}
        ${submitButton('Create the account', pending.has('createUser'))}
      </form>`,
    )}
    ${section(
      'Password forgotten?',
      html`<form onSubmit=${onReset}>
        ${field({ label: 'User', name: 'user' })}
        ${field({ label: 'Code', name: 'code', hint: 'From whoever runs the tracker.' })}
        ${field({ label: 'New password', name: 'password', type: 'password', autocomplete: 'new-password' })}
        ${submitButton('Set the new password', pending.has('resetPassword'))}
      </form>`,
    )}`
}

function ownView({ pending, program }: PageState, user: string, actions: Actions): VNode {
  const onChange = onSubmit((form, element) => {
    const old = form.get('old')
    void actions
      .changePassword(typeof old === 'string' ? old : '', passwordOf(form))
      .then((isDone) => isDone && element.reset())
  })
  const onDelete = onSubmit((form) => actions.deleteAccount(user, passwordOf(form)))
  return html`<h1 tabindex="-1">Account</h1>
    <p>You are logged in as <strong>${shown(user)}</strong>.</p>
    ${button({ label: 'Log out', isPending: pending.has('logout'), onPress: () => void actions.logout() })}
    ${section(
      'Another password',
      html`<form onSubmit=${onChange}>
        ${field({ label: 'Present password', name: 'old', type: 'password', autocomplete: 'current-password' })}
        ${field({
          label: 'New password',
          name: 'password',
          type: 'password',
          autocomplete: 'new-password',
          hint: 'Your other machines are logged out.',
        })}
        ${submitButton('Change the password', pending.has('changePassword'))}
      </form>`,
    )}
    ${section(
      'Delete the account',
      html`<form onSubmit=${onDelete}>
        ${field({ label: 'Password', name: 'password', type: 'password', autocomplete: 'current-password' })}
        ${submitButton('Delete the account …', pending.has('deleteAccount'), 'danger')}
      </form>`,
    )}
    <footer class="faint">${program}</footer>`
}
