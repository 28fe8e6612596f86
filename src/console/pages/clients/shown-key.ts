import { h, type ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { MadeKey } from './answers.ts'
import { Copy } from '../../parts/actions.ts'
import { Note } from '../../parts/notes.ts'
import { Change } from './manual-edit.ts'

/** A new key: it is shown until the dialog is closed, and nowhere else. */
export function ShownKey({
  made: { key, configuration },
  about,
  close,
}: {
  made: MadeKey
  about: string
  close: () => void
}): ComponentChildren {
  const shown = useRef<HTMLElement>(null)
  // The field that had the focus is gone.
  useEffect(() => shown.current?.focus(), [])
  return h(
    'div',
    null,
    h(Note, { tone: 'warning' }, 'The key is shown only this once. Give it to its owner now.'),
    h(
      'p',
      { class: 'secret' },
      h('code', { ref: shown, tabIndex: -1, 'aria-label': 'The new key' }, key),
      h(Copy, { text: key, label: 'Copy the key' }),
    ),
    h(
      'div',
      { class: 'dialog-text' },
      configuration === null ? h('p', null, about) : h(Change, { change: configuration, pending: about }),
    ),
    h(
      'div',
      { class: 'dialog-actions' },
      h('button', { type: 'button', class: 'button primary', onClick: close }, 'I have copied it'),
    ),
  )
}
