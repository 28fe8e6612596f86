import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { ManualEdit } from './answers.ts'
import { Apply } from '../../changes/apply.ts'
import { Copy } from '../../parts/actions.ts'
import { useModal } from '../../parts/modal.ts'
import { Note } from '../../parts/notes.ts'

/** A change of the configuration, to be applied if that is allowed, or to be copied. */
export function Change({
  change: { file, patch, lines, send },
  pending,
}: {
  change: ManualEdit
  /** What is said until it is applied. */
  pending: string
}): ComponentChildren {
  const text = patch ?? lines
  const [isApplied, setApplied] = useState(false)
  if (isApplied)
    return h(
      Note,
      { tone: 'warning' },
      'The change is in effect. It is rolled back automatically unless you keep it: close this dialog to do so.',
    )
  const where = file === null ? 'the configuration' : file
  return h(
    Fragment,
    null,
    h(Note, { tone: 'notice' }, pending),
    send !== null && h(Apply, { file: where, ...send, done: () => setApplied(true) }),
    h(
      'p',
      null,
      patch !== null
        ? `${send === null ? 'This' : 'Or apply it yourself: this'} is the patch for ${where}, for its repository or patch -p1. It contains the digest of the key, never the key. It takes effect once the gateway has reloaded it.`
        : `Because of the way ${where} is written, it must be changed by hand${lines === null ? ': remove the key from auth.methods.api-key.keys' : ': add these lines'}. The change takes effect once the gateway has reloaded it.`,
    ),
    text !== null &&
      h(
        Fragment,
        null,
        h('pre', { class: 'code', tabIndex: 0 }, text),
        h(
          'div',
          { class: 'actions start' },
          h(Copy, { text, label: patch === null ? 'Copy the lines' : 'Copy the patch' }),
        ),
      ),
  )
}

/** The same in a dialog of its own. */
export function ChangeDialog({
  title,
  change,
  close,
}: {
  title: string
  change: ManualEdit
  close: () => void
}): ComponentChildren {
  const dialog = useModal()
  return h(
    'dialog',
    { ref: dialog, class: 'dialog broad', 'aria-labelledby': 'change', onClose: close },
    h('h2', { id: 'change' }, title),
    h('div', { class: 'dialog-text' }, h(Change, { change, pending: 'Nothing is changed yet.' })),
    h('div', { class: 'dialog-actions' }, h('button', { type: 'button', class: 'button', onClick: close }, 'Close')),
  )
}
