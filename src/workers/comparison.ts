import { planChanges } from '../config/plan/plan.ts'
import { type PlanDocument, planDocument } from '../config/plan/plan-document.ts'
import { planText } from '../config/plan/plan-text.ts'
import { type Side, sideInForce } from '../config/plan/side.ts'
import { unitsOf } from '../config/plan/units.ts'
import type { InForce } from './read-config.ts'

/** The differences if the configuration read from that file replaced the running one. */
export async function comparison(file: string, before: InForce, after: Side): Promise<PlanDocument> {
  const plan = planChanges(await sideInForce(file, before), after)
  const unitAt = unitsOf(after.chain)
  return { ...planDocument(plan, unitAt), text: planText(plan, unitAt) }
}
