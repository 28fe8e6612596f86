import type { ConfigStatus } from '../../answers.ts'
import type { Question } from '../../parts/actions.ts'

/** Properties shared by the parts of the page. */
export interface Part {
  readonly status: ConfigStatus
  readonly again: () => void
  readonly ask: (question: Question) => void
}
