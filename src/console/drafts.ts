import { useEffect, useState } from 'preact/hooks'
import type { ConfigStatus } from './answers.ts'
import { fateOf, type Sent } from './sent.ts'

/** What a form shows. */
interface Shown {
  /** The change, once it is applied; null before. */
  readonly sent: Sent | null
}

/** The drafts of all forms of a kind. */
interface Kind {
  /** Forgets those of which this is true. */
  forget(isOver: (draft: Shown) => boolean): void
  hasUnsaved(): boolean
}

const kinds: Kind[] = []
const watchers = new Set<() => void>()

/** Forgets everything, for example because someone else may use the console next. */
export function forgetDrafts(): void {
  for (const kind of kinds) kind.forget(() => true)
}

/** Forgets what is in the file now. */
export function settleDrafts(status: ConfigStatus): void {
  for (const kind of kinds) kind.forget(({ sent }) => sent !== null && fateOf(sent, status) === 'kept')
  for (const changed of watchers) changed()
}

/** The state of the form of that name, which is not lost on another page of the console; null while the form is closed. */
type UseDraft<Draft> = (form: string) => readonly [Draft | null, (draft: Draft | null) => void]

/** Defines a kind of form. `hasChanged`: leaving the console would lose something that was typed. */
export function defineDrafts<Draft extends Shown>(hasChanged: (draft: Draft) => boolean): UseDraft<Draft> {
  /** By form. They outlive the page that shows the form, but not the console. */
  const kept = new Map<string, Draft>()
  kinds.push({
    forget(isOver) {
      for (const [form, draft] of kept) if (isOver(draft)) kept.delete(form)
    },
    hasUnsaved: () => [...kept.values()].some(hasChanged),
  })
  return (form) => {
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
      else kept.set(form, next)
      change((n) => n + 1)
    }
    return [kept.get(form) ?? null, set]
  }
}

/** Makes the browser ask before it leaves the console, if that would lose something that was typed. */
export function guardDrafts(): void {
  addEventListener('beforeunload', (event) => {
    if (kinds.some((kind) => kind.hasUnsaved())) event.preventDefault()
  })
}
