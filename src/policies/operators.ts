import type { Operation } from '../core/operation.ts'
import { forgetKeysHere, forgettingKeys } from './auth/api-key/operators.ts'
import { purgeCache, purgeHere, purging } from './cache/operators.ts'
import type { OperationTools, OperatorEndpoint } from './operator-endpoint.ts'
import { forgetHere, forgetLimits, forgetting, listLimited, showLimits } from './rate-limit/operators.ts'

/** What operators may ask of policies. The one place where it is listed. */
export const operatorEndpoints: readonly OperatorEndpoint[] = [listLimited, showLimits, forgetLimits, purgeCache]

/** Who does operations. */
interface Doer {
  on<Asked, Result extends object>(operation: Operation<Asked, Result>, run: (asked: Asked) => Promise<Result>): void
}

/** What operators may have policies do in all gateways that share a Redis, and how one of them does it. The one place where it is listed. */
export function registerOperations(doer: Doer, tools: OperationTools): void {
  doer.on(forgetting, (asked) => forgetHere(asked, tools))
  doer.on(forgettingKeys, (asked) => forgetKeysHere(asked, tools))
  doer.on(purging, (asked) => purgeHere(asked, tools))
}
