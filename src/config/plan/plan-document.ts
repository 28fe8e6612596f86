import { formatPath, problemMember } from '../problems.ts'
import type { Change, Plan } from './plan.ts'

/** A plan in machine-readable form. */
export type PlanDocument = ReturnType<typeof planDocument> & {
  /** The plan in human-readable form. */
  readonly text: string
}

/** A plan in the form that docs/command-line.md documents. */
export function planDocument({ changes, warnings }: Plan) {
  return { same: changes.length === 0, changes: changes.map(changeMember), warnings: warnings.map(problemMember) }
}

function changeMember({ path, kind, class: cost, before, after, effects, routes }: Change) {
  return {
    kind,
    path: formatPath(path),
    steps: path,
    class: cost,
    ...(kind !== 'added' && { before }),
    ...(kind !== 'removed' && { after }),
    effects,
    ...(routes !== null && { routes }),
  }
}
