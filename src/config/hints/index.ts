import type { Policy } from '../../policies/policy.ts'
import type { GatewayConfig } from '../schema.ts'
import { adminHints } from './admin.ts'
import type { Hint, HintRule } from './hint.ts'
import { proxyHints } from './proxies.ts'
import { rewriteHints } from './rewrites.ts'
import { routeHints } from './routes.ts'
import { secretHints } from './secrets.ts'
import { serviceHints } from './services.ts'
import { timeHints } from './times.ts'

/** Every rule, in the order in which their hints are told. The one place where they are listed. */
const rules: readonly HintRule[] = [
  routeHints,
  rewriteHints,
  serviceHints,
  timeHints,
  secretHints,
  adminHints,
  proxyHints,
]

/** What works in a configuration, and is probably not meant so. For whoever writes it: a running gateway says nothing of this. */
export function hintsOf(config: GatewayConfig, chain: readonly Policy[]): Hint[] {
  return rules.flatMap((rule) => rule(config, chain))
}
