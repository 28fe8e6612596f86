import { useEffect, useState } from 'preact/hooks'
import type { ConfigStatus } from './answers.ts'
import { fateOf, type Sent } from './sent.ts'

/** What a form shows. */
interface Shown {
  /** The change, once it is applied; null before. */
  readonly sent: Sent | null
}

/** What a form shows, and whether leaving the console would lose something that was typed. */
interface Kept {
  readonly draft: Shown
  readonly isUnsaved: boolean
}

/** By form. They outlive the page that shows the form, but not the console. */
const kept = new Map<string, Kept>()
const watchers = new Set<() => void>()

/** Forgets everything, for example because someone else may use the console next. */
export function forgetDrafts(): void {
  kept.clear()
}

/** Forgets what is in the file now. */
export function settleDrafts(status: ConfigStatus): void {
  for (const [form, { draft }] of kept)
    if (draft.sent !== null && fateOf(draft.sent, status) === 'kept') kept.delete(form)
  for (const changed of watchers) changed()
}

/** The state of a form that is not lost on another page of the console; null while the form is closed. */
export function useDraft<Draft extends Shown>(
  form: string,
  hasChanged: (draft: Draft) => boolean,
): readonly [Draft | null, (draft: Draft | null) => void] {
  const [, change] = useState(0)
  useEffect(() => {
    const changed = (): void => change((n) => n + 1)
    watchers.add(changed)
    return () => {
      watchers.delete(changed)
    }
  }, [])
  const set = (next: Draft | null): void => {
    if (next === null) kept.delete(form)
    else kept.set(form, { draft: next, isUnsaved: hasChanged(next) })
    change((n) => n + 1)
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each form has its own name
  return [(kept.get(form)?.draft ?? null) as Draft | null, set]
}

/** Makes the browser ask before it leaves the console, if that would lose something that was typed. */
export function guardDrafts(): void {
  addEventListener('beforeunload', (event) => {
    if ([...kept.values()].some(({ isUnsaved }) => isUnsaved)) event.preventDefault()
  })
}
