import { z } from 'zod'
import { defineOperation } from '../../../core/operation.ts'
import type { OperationTools } from '../../operator-endpoint.ts'
import { forgetKeysTopic } from './topics.ts'

/** Digests that one message may name: it has a bound. */
export const MOST_FORGOTTEN = 500

const digests = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .array()
  .max(MOST_FORGOTTEN)

/** Has gateways ask Redis anew about API keys: what becomes of them holds at once then, not only when a cached lookup is over. */
export const forgettingKeys = defineOperation({
  name: 'forget-keys',
  asked: z.strictObject({ sha256: digests }),
  result: z.strictObject({}),
})

/** Does it in this gateway, in all its workers. */
export async function forgetKeysHere(
  { sha256 }: z.output<typeof forgettingKeys.asked>,
  { threads }: OperationTools,
): Promise<Record<string, never>> {
  await threads.askAll(forgetKeysTopic, sha256)
  return {}
}
