import { purgeCache } from './cache/operators.ts'
import type { OperatorEndpoint } from './operator-endpoint.ts'
import { forgetLimits, showLimits } from './rate-limit/operators.ts'

/** What operators may ask of policies. The one place where it is listed. */
export const operatorEndpoints: readonly OperatorEndpoint[] = [showLimits, forgetLimits, purgeCache]
