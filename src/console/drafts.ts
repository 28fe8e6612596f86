import { useState } from 'preact/hooks'

/** What a form shows, and whether leaving the console would lose something that was typed. */
interface Kept {
  readonly draft: unknown
  readonly isUnsaved: boolean
}

/** By form. They outlive the page that shows the form, but not the console. */
const kept = new Map<string, Kept>()

/** Forgets everything, for example because someone else may use the console next. */
export function forgetDrafts(): void {
  kept.clear()
}

/** The state of a form that is not lost on another page of the console; null while the form is closed. */
export function useDraft<Draft>(
  form: string,
  hasChanged: (draft: Draft) => boolean,
): readonly [Draft | null, (draft: Draft | null) => void] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each form has its own name
  const [draft, setDraft] = useState((kept.get(form)?.draft ?? null) as Draft | null)
  const set = (next: Draft | null): void => {
    if (next === null) kept.delete(form)
    else kept.set(form, { draft: next, isUnsaved: hasChanged(next) })
    setDraft(next)
  }
  return [draft, set]
}

/** Makes the browser ask before it leaves the console, if that would lose something that was typed. */
export function guardDrafts(): void {
  addEventListener('beforeunload', (event) => {
    if ([...kept.values()].some(({ isUnsaved }) => isUnsaved)) event.preventDefault()
  })
}
