import { type ComponentChildren, h } from 'preact'
import { useState } from 'preact/hooks'
import type { Role } from '../answers.ts'
import { useBarred } from '../hooks.ts'
import { useModal } from './modal.ts'
import { Failure } from './notes.ts'

/** Text with a button that copies it. */
export function Copy({ text, label = 'Copy' }: { text: string; label?: string }): ComponentChildren {
  const [said, setSaid] = useState('')
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('Copied')
    } catch {
      setSaid('Select and copy the text')
    }
    setTimeout(() => setSaid(''), 2000)
  }
  return h('button', { type: 'button', class: 'button quiet', onClick: () => void copy() }, said === '' ? label : said)
}

/** A button for an action of the admin API; a user who may not perform it cannot press it and sees why. */
export function ActionButton({
  method,
  path,
  role,
  class: name = 'button',
  type = 'button',
  label,
  disabled = false,
  busy = false,
  onClick,
  children,
}: {
  method: 'POST' | 'PUT' | 'DELETE'
  /** As listed by the admin API, such as "/services/{name}". */
  path: string
  /** The role that it needs, if that depends on more than the path. */
  role?: Role | undefined
  class?: string
  type?: 'button' | 'submit'
  /** For screen readers, if the text alone is ambiguous. */
  label?: string
  disabled?: boolean
  /** Whether it is at work: it does nothing then, and keeps the focus, which a disabled button loses. */
  busy?: boolean
  onClick?: () => void
  children?: ComponentChildren
}): ComponentChildren {
  const barred = useBarred(method, path, role)
  const button = h(
    'button',
    {
      type,
      class: name,
      disabled: disabled || barred !== null,
      ...(label !== undefined && { 'aria-label': label }),
      ...(barred !== null && { 'aria-description': barred }),
      ...(busy && { 'aria-disabled': 'true' as const }),
      onClick: (event: Event) => {
        if (busy) event.preventDefault()
        else onClick?.()
      },
    },
    children,
  )
  return barred === null ? button : h('span', { class: 'barred', title: barred }, button)
}

/** An action that needs confirmation. */
export interface Question {
  readonly title: string
  readonly text: ComponentChildren
  /** The label of the confirming button. */
  readonly action: string
  readonly danger?: boolean
  /** Whether there is a lot to read. */
  readonly broad?: boolean
  readonly run: () => Promise<unknown>
}

/** Asks before an action; shows why it failed. */
export function Confirm({ question, close }: { question: Question; close: () => void }): ComponentChildren {
  const dialog = useModal()
  const [running, setRunning] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const run = async (): Promise<void> => {
    setRunning(true)
    setError(null)
    try {
      await question.run()
      close()
    } catch (thrown) {
      setError(thrown)
      setRunning(false)
    }
  }
  return h(
    'dialog',
    {
      ref: dialog,
      class: `dialog${question.broad === true ? ' broad' : ''}`,
      'aria-labelledby': 'question',
      onClose: close,
    },
    h('h2', { id: 'question' }, question.title),
    h('div', { class: 'dialog-text' }, question.text),
    error !== null && h(Failure, { title: 'That did not work.', error }),
    h(
      'div',
      { class: 'dialog-actions' },
      h('button', { type: 'button', class: 'button', onClick: close }, 'Cancel'),
      h(
        'button',
        {
          type: 'button',
          class: `button primary${question.danger === true ? ' danger' : ''}`,
          disabled: running,
          onClick: () => void run(),
        },
        running ? 'One moment…' : question.action,
      ),
    ),
  )
}
