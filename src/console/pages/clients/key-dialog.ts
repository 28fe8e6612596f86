import { h, type ComponentChildren } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { MadeKey } from './answers.ts'
import { useModal } from '../../parts/modal.ts'
import { Failure } from '../../parts/notes.ts'
import { ShownKey } from './shown-key.ts'

/** A form that makes a key, then the key. */
export function KeyDialog<Made extends MadeKey>({
  title,
  action,
  ready,
  make,
  aboutOf,
  close,
  children,
}: {
  title: string
  /** The label of the button. */
  action: string
  /** Whether the form is complete. */
  ready: boolean
  make: () => Promise<Made>
  /** The text next to the key. */
  aboutOf: (made: Made) => string
  close: () => void
  children?: ComponentChildren
}): ComponentChildren {
  const dialog = useModal()
  const [made, setMade] = useState<Made | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const run = async (): Promise<void> => {
    setRunning(true)
    setError(null)
    try {
      setMade(await make())
    } catch (thrown) {
      setError(thrown)
    }
    setRunning(false)
  }
  return h(
    'dialog',
    {
      ref: dialog,
      class: 'dialog broad',
      'aria-labelledby': 'key-dialog',
      // A key that has not been copied yet must not be lost by pressing Escape. Some browsers let a page prevent that only once.
      closedby: made === null ? 'closerequest' : 'none',
      onCancel: (event: Event) => made !== null && event.preventDefault(),
      onClose: close,
    },
    h('h2', { id: 'key-dialog' }, title),
    made === null
      ? h(
          'form',
          {
            onSubmit: (event: Event) => {
              event.preventDefault()
              void run()
            },
          },
          children,
          error !== null && h(Failure, { title: 'That did not work.', error }),
          h(
            'div',
            { class: 'dialog-actions' },
            h('button', { type: 'button', class: 'button', onClick: close }, 'Cancel'),
            h(
              'button',
              { type: 'submit', class: 'button primary', disabled: running || !ready },
              running ? 'One moment…' : action,
            ),
          ),
        )
      : h(ShownKey, { made, about: aboutOf(made), close }),
  )
}

/** A text field of a form. */
export function TextField({
  label,
  value,
  change,
  hint,
  placeholder,
}: {
  label: string
  value: string
  change: (value: string) => void
  hint: string
  placeholder?: string
}): ComponentChildren {
  const id = useId()
  return h(
    'div',
    { class: 'field' },
    h('label', { for: id }, label),
    h('input', {
      id,
      type: 'text',
      value,
      autoComplete: 'off',
      spellCheck: false,
      ...(placeholder !== undefined && { placeholder }),
      'aria-describedby': `${id}-hint`,
      onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => change(currentTarget.value),
    }),
    h('small', { id: `${id}-hint`, class: 'quiet' }, hint),
  )
}
