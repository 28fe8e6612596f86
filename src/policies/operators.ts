import type { Operation } from '../core/operation.ts'
import { forgetKeysHere, forgetKeysOperation } from './auth/api-key/operators.ts'
import { purgeCache, purgeHere, purging } from './cache/operators.ts'
import type { OperationTools, OperatorEndpoint } from './operator-endpoint.ts'
import { forgetHere, forgetLimits, forgetLimitsOperation, listLimited, showLimits } from './rate-limit/operators.ts'

/** All operator endpoints of policies. This is the only place where they are listed. */
export const operatorEndpoints: readonly OperatorEndpoint[] = [listLimited, showLimits, forgetLimits, purgeCache]

/** Runs operations. */
interface Doer {
  on<Input, Result extends object>(operation: Operation<Input, Result>, run: (input: Input) => Promise<Result>): void
}

/**
 * Registers all operations that operators may have policies run in every gateway sharing a Redis, with their implementation for one
 * gateway. This is the only place where they are listed.
 */
export function registerOperations(doer: Doer, tools: OperationTools): void {
  doer.on(forgetLimitsOperation, (input) => forgetHere(input, tools))
  doer.on(forgetKeysOperation, (input) => forgetKeysHere(input, tools))
  doer.on(purging, (input) => purgeHere(input, tools))
}
