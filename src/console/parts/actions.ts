import { type ComponentChildren, h } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useBarred } from '../hooks.ts'
import { Failure } from './notes.ts'

/** Text that may be copied at once. */
export function Copy({ text, label = 'Copy' }: { text: string; label?: string }): ComponentChildren {
  const [said, setSaid] = useState('')
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('Copied')
    } catch {
      setSaid('Select it and copy')
    }
    setTimeout(() => setSaid(''), 2000)
  }
  return h('button', { type: 'button', class: 'button quiet', onClick: () => void copy() }, said === '' ? label : said)
}

/** A button for what the admin API does; whoever may not have that done cannot press it, and reads why. */
export function ActionButton({
  method,
  path,
  class: name = 'button',
  type = 'button',
  label,
  disabled = false,
  onClick,
  children,
}: {
  method: 'POST' | 'PUT' | 'DELETE'
  /** As the admin API lists it, such as "/services/{name}". */
  path: string
  class?: string
  type?: 'button' | 'submit'
  /** Where what it says is not enough to know it by. */
  label?: string
  disabled?: boolean
  onClick?: () => void
  children?: ComponentChildren
}): ComponentChildren {
  const barred = useBarred(method, path)
  const button = h(
    'button',
    {
      type,
      class: name,
      disabled: disabled || barred !== null,
      ...(label !== undefined && { 'aria-label': label }),
      ...(barred !== null && { 'aria-description': barred }),
      ...(onClick !== undefined && { onClick }),
    },
    children,
  )
  return barred === null ? button : h('span', { class: 'barred', title: barred }, button)
}

/** What is to be confirmed before it is done. */
export interface Question {
  readonly title: string
  readonly text: ComponentChildren
  /** What the button says that does it. */
  readonly action: string
  readonly danger?: boolean
  readonly run: () => Promise<unknown>
}

/** Asks before something is done; shows why it could not be. */
export function Confirm({ question, close }: { question: Question; close: () => void }): ComponentChildren {
  const dialog = useRef<HTMLDialogElement>(null)
  const [running, setRunning] = useState(false)
  const [error, setError] = useState<unknown>(null)
  useEffect(() => dialog.current?.showModal(), [])
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
    { ref: dialog, class: 'dialog', 'aria-labelledby': 'question', onClose: close },
    h('h2', { id: 'question' }, question.title),
    h('div', { class: 'dialog-text' }, question.text),
    error !== null && h(Failure, { title: 'That was not done.', error }),
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
        running ? 'One moment …' : question.action,
      ),
    ),
  )
}
