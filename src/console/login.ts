import { Fragment, h, type ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import type { LoggedOut, LoginBegun, Session } from './answers.ts'
import { callApi, unlock } from './client.ts'
import { forgetDrafts } from './drafts.ts'
import { Failure, Note } from './parts/notes.ts'

/** The last user of this page, "" for the token; null if there was none yet. */
let last: string | null = null

/** Ends the session, and with it everything on the page. */
export async function logOut(): Promise<void> {
  forgetDrafts()
  try {
    const { leave } = await callApi<LoggedOut>('/logout', { method: 'POST' })
    if (leave !== null) return location.assign(leave)
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
  const [byToken, setByToken] = useState(!isKnown)
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
    last !== null && h(Note, { tone: 'notice' }, 'Your session has ended. Log in again to continue where you were.'),
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
        byToken ? 'Use a name and password instead' : 'Use the token instead',
      ),
  )
}

interface FormProps {
  readonly unlocked: () => void
}

/** Logs in with that proof; a user other than the last one gets a new page. */
async function logIn(proof: object, unlocked: () => void): Promise<void> {
  const { name } = await callApi<Session>('/login', { method: 'POST', json: proof })
  // Another user must not see what the previous one has opened.
  if (last !== null && last !== (name ?? '')) {
    forgetDrafts()
    return location.reload()
  }
  unlock()
  unlocked()
}

function PasswordForm({ unlocked }: FormProps): ComponentChildren {
  const [name, setName] = useState('')
  const [password, setPassword] = useState('')
  return h(
    ProofForm,
    {
      action: 'Log in',
      ready: name.trim() !== '' && password !== '',
      send: () => logIn({ name: name.trim(), password }, unlocked),
      failed: () => setPassword(''),
    },
    field('Name', 'text', 'username', name, setName),
    field('Password', 'password', 'current-password', password, setPassword),
  )
}

function TokenForm({ unlocked }: FormProps): ComponentChildren {
  const [token, setToken] = useState('')
  return h(
    ProofForm,
    {
      action: 'Open the console',
      ready: token.trim() !== '',
      send: () => logIn({ token: token.trim() }, unlocked),
      failed: () => setToken(''),
    },
    h('p', null, 'Enter the token of the admin listener: the value of ADMIN_TOKEN or of admin.token.'),
    field('Token', 'password', 'current-password', token, setToken),
  )
}

/** A form with a button that logs in, and the reason if that fails. */
function ProofForm({
  action,
  ready,
  send,
  failed,
  children,
}: {
  action: string
  ready: boolean
  send: () => Promise<void>
  failed: () => void
  children?: ComponentChildren
}): ComponentChildren {
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const run = async (): Promise<void> => {
    setRunning(true)
    setError(null)
    try {
      await send()
    } catch (thrown) {
      setError(thrown)
      setRunning(false)
      failed()
    }
  }
  return h(
    'form',
    {
      onSubmit: (event: Event) => {
        event.preventDefault()
        void run()
      },
    },
    error !== null && h(Failure, { title: 'You are not logged in.', error }),
    children,
    h(
      'button',
      { type: 'submit', class: 'button primary', disabled: running || !ready },
      running ? 'One moment…' : action,
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
      const json = { return: location.pathname + location.search }
      location.assign((await callApi<LoginBegun>('/login/oidc', { method: 'POST', json })).url)
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
      running ? 'One moment…' : `Log in with ${provider}`,
    ),
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
