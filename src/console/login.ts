import { Fragment, h, type ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { LoggedOut, LoginBegun, Session } from './answers.ts'
import { ask, hasToken, unlock, useToken } from './client.ts'
import { Failure } from './parts/notes.ts'

/** The last user of this page, "" for the token; null if there was none yet. */
let last: string | null = null

/** Ends the session, or forgets the token, and with it everything on the page. */
export async function logOut(): Promise<void> {
  try {
    if (hasToken()) useToken('')
    else {
      const { leave } = await ask<LoggedOut>('/logout', { method: 'POST' })
      if (leave !== null) return location.assign(leave)
    }
  } catch {
    // The page that is loaded next shows the problem.
  }
  location.reload()
}

/** Covers the page while it is locked, until someone has logged in. */
export function Lock({
  locked,
  session,
  unlocked,
}: {
  locked: boolean
  session: Session | null
  unlocked: () => void
}): ComponentChildren {
  if (session !== null && session.role !== null) last = session.name ?? ''
  return locked && session !== null ? h(Login, { session, unlocked }) : null
}

function Login({ session, unlocked }: { session: Session; unlocked: () => void }): ComponentChildren {
  const dialog = useRef<HTMLDialogElement>(null)
  const { users, provider, token } = session
  const isKnown = users || provider !== null
  const [byToken, setByToken] = useState(!isKnown || hasToken())
  const open = (): void => {
    if (dialog.current?.open === false) dialog.current.showModal()
  }
  useEffect(open, [])
  return h(
    'dialog',
    {
      ref: dialog,
      class: 'dialog lock',
      'aria-labelledby': 'lock',
      onCancel: (event: Event) => event.preventDefault(),
      // Browsers close the dialog anyway if the user insists.
      onClose: open,
    },
    h('h1', { id: 'lock' }, 'Sallyport console'),
    byToken
      ? h(TokenForm, { unlocked })
      : h(
          Fragment,
          null,
          users && h(PasswordForm, { unlocked }),
          users && provider !== null && h('p', { class: 'or' }, 'or'),
          provider !== null && h(AtProvider, { provider, isFirst: !users }),
        ),
    isKnown &&
      token &&
      h(
        'button',
        { type: 'button', class: 'link', onClick: () => setByToken(!byToken) },
        byToken ? 'Log in with your name instead' : 'Use the token instead',
      ),
  )
}

interface FormProps {
  readonly unlocked: () => void
}

function PasswordForm({ unlocked }: FormProps): ComponentChildren {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const logIn = async (): Promise<void> => {
    setRunning(true)
    setError(null)
    try {
      useToken('')
      const session = await ask<Session>('/login', { method: 'POST', json: { name: name.trim(), password } })
      // Another user must not see what the previous one has opened.
      if (last !== null && last !== session.name) return location.reload()
      unlock()
      unlocked()
    } catch (thrown) {
      setError(thrown)
      setPassword('')
      setRunning(false)
    }
  }
  const submit = (event: Event): void => {
    event.preventDefault()
    void logIn()
  }
  return h(
    'form',
    { onSubmit: submit },
    error !== null && h(Failure, { title: 'You are not logged in.', error }),
    field('Name', 'text', 'username', name, setName),
    field('Password', 'password', 'current-password', password, setPassword),
    h(
      'button',
      { type: 'submit', class: 'button primary', disabled: running || name.trim() === '' || password === '' },
      running ? 'One moment …' : 'Log in',
    ),
  )
}

function AtProvider({ provider, isFirst }: { provider: string; isFirst: boolean }): ComponentChildren {
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const leave = async (): Promise<void> => {
    setRunning(true)
    setError(null)
    try {
      useToken('')
      const json = { return: location.pathname + location.search }
      location.assign((await ask<LoginBegun>('/login/oidc', { method: 'POST', json })).url)
    } catch (thrown) {
      setError(thrown)
    }
    // A user who comes back without having logged in may try again.
    setRunning(false)
  }
  return h(
    'div',
    { class: 'at-provider' },
    error !== null && h(Failure, { title: 'You are not logged in.', error }),
    h(
      'button',
      { type: 'button', class: isFirst ? 'button primary' : 'button', disabled: running, onClick: () => void leave() },
      running ? 'One moment …' : `Log in at ${provider}`,
    ),
  )
}

function TokenForm({ unlocked }: FormProps): ComponentChildren {
  const [token, setToken] = useState('')
  const wrong = hasToken()
  const submit = (event: Event): void => {
    event.preventDefault()
    useToken(token.trim())
    unlocked()
  }
  return h(
    'form',
    { onSubmit: submit },
    h('p', null, 'This gateway asks for the token of its admin listener: the value of ADMIN_TOKEN, or of admin.token.'),
    wrong && h('div', { class: 'note critical', role: 'alert' }, 'That token was refused.'),
    field('Token', 'password', 'current-password', token, setToken),
    h('button', { type: 'submit', class: 'button primary', disabled: token.trim() === '' }, 'Open the console'),
    h('p', { class: 'quiet' }, 'It is kept until this tab is closed.'),
  )
}

function field(
  label: string,
  type: 'text' | 'password',
  autoComplete: string,
  value: string,
  change: (value: string) => void,
): ComponentChildren {
  return h(
    'label',
    { class: 'field' },
    h('span', null, label),
    h('input', {
      type,
      value,
      autoComplete,
      spellCheck: false,
      onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => change(currentTarget.value),
    }),
  )
}
