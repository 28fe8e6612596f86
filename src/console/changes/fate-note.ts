import { h, type ComponentChildren } from 'preact'
import { Note } from '../parts/notes.ts'
import type { Fate } from '../sent.ts'

/** Why a form that was applied is still there. */
export function FateNote({ fate }: { fate: Fate | null }): ComponentChildren {
  if (fate === 'waiting')
    return h(
      Note,
      { tone: 'notice' },
      'This change is in effect, and waits to be kept. What you have written stays here in case it is rolled back.',
    )
  return (
    fate === 'undone' &&
    h(Note, { tone: 'warning' }, 'This change was rolled back. You can correct it and apply it again.')
  )
}
