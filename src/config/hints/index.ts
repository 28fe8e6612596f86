import type { Policy } from '../../policies/policy.ts'
import type { GatewayConfig } from '../schema.ts'
import { adminHints } from './admin.ts'
import type { Hint, HintRule } from './hint.ts'
import { placeholderHints } from './placeholders.ts'
import { proxyHints } from './proxies.ts'
import { rewriteHints } from './rewrites.ts'
import { routeHints } from './routes.ts'
import { secretHints } from './secrets.ts'
import { serviceHints } from './services.ts'
import { timeHints } from './times.ts'

/** Every rule, in the order in which hints are reported. This is the only list of them. */
const rules: readonly HintRule[] = [
  routeHints,
  rewriteHints,
  placeholderHints,
  serviceHints,
  timeHints,
  secretHints,
  adminHints,
  proxyHints,
]

/**
 * Parts of a configuration that work but are probably not intended. They are for the author of the configuration: a running gateway does
 * not log them.
 */
export function hintsOf(config: GatewayConfig, chain: readonly Policy[]): Hint[] {
  return rules.flatMap((rule) => rule(config, chain))
}
