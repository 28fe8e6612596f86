import { isDeepStrictEqual } from 'node:util'
import { formatPath, problemMember } from '../problems.ts'
import type { Change, Plan } from './plan.ts'
import type { UnitAt } from './units.ts'
import { writtenValue } from './written-value.ts'

/** A plan in machine-readable form. */
export type PlanDocument = ReturnType<typeof planDocument> & {
  /** The plan in human-readable form. */
  readonly text: string
}

/** A plan in the form that docs/command-line.md documents. */
export function planDocument({ changes, warnings }: Plan, unitAt: UnitAt) {
  return {
    same: changes.length === 0,
    changes: changes.map((change) => changeMember(change, unitAt)),
    warnings: warnings.map(problemMember),
  }
}

function changeMember({ path, kind, class: cost, before, after, effects, routes }: Change, unitAt: UnitAt) {
  const values = { ...(kind !== 'added' && { before }), ...(kind !== 'removed' && { after }) }
  const written = Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, writtenValue(value, path, unitAt)]),
  )
  return {
    kind,
    path: formatPath(path),
    steps: path,
    class: cost,
    ...values,
    ...(!isDeepStrictEqual(written, values) && { written }),
    effects,
    ...(routes !== null && { routes }),
  }
}
