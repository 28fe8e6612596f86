import { planChanges } from '../config/plan/plan.ts'
import { type PlanDocument, planDocument } from '../config/plan/plan-document.ts'
import { planText } from '../config/plan/plan-text.ts'
import { type Side, sideOf } from '../config/plan/side.ts'
import { unitsOf } from '../config/plan/units.ts'
import { loadChecked } from './load-checked.ts'

/** What the configuration in a file would change, compared with the one in another. Rejects like `loadChecked`. */
export async function planFiles(file: string, against: string): Promise<PlanDocument> {
  const before = await load(against)
  const after = await load(file)
  const plan = planChanges(before, after)
  const unitAt = unitsOf(after.chain)
  return { ...planDocument(plan, unitAt), text: planText(plan, unitAt) }
}

async function load(file: string): Promise<Side> {
  return sideOf(file, await loadChecked(file))
}
