import { z } from 'zod'
import { defineOperation } from '../../../core/operation.ts'
import type { OperationTools } from '../../operator-endpoint.ts'
import { forgetKeysTopic } from './topics.ts'

/** Most digests that one message may name, to bound its size. */
export const MAX_FORGOTTEN = 500

const digests = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .array()
  .max(MAX_FORGOTTEN)

/** Has gateways look up API keys in Redis again, so that changes take effect at once instead of when the cached lookup expires. */
export const forgetKeysOperation = defineOperation({
  name: 'forget-keys',
  arguments: z.strictObject({ sha256: digests }),
  result: z.strictObject({}),
})

/** Does this in all workers of this gateway. */
export async function forgetKeysHere(
  { sha256 }: z.output<typeof forgetKeysOperation.arguments>,
  { threads }: OperationTools,
): Promise<Record<string, never>> {
  await threads.askAll(forgetKeysTopic, sha256)
  return {}
}
