import type { ConfigStatus } from '../../answers.ts'
import type { Question } from '../../parts/actions.ts'

/** What the parts of the page share. */
export interface Part {
  readonly status: ConfigStatus
  readonly again: () => void
  readonly ask: (question: Question) => void
}
