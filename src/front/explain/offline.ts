import { ownPaths } from '../../config/endpoints-schema.ts'
import type { GatewayConfig } from '../../config/schema.ts'
import { systemClock } from '../../core/clock.ts'
import { GatewayError } from '../../core/errors.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import type { Policy } from '../../policies/policy.ts'
import { callService } from '../../services/call.ts'
import type { BuiltInRoute } from '../built-in-routes.ts'
import { makeTrial } from '../try-policies.ts'
import { explain } from './explain.ts'
import type { Explanation, Question } from './explanation.ts'

const NOTES = [
  'No gateway was asked: the state of instances is unknown, and limits, caches and keys are those of a gateway that has just started.',
]

/** Stands for the instances of a service with discovery, which only begins in a gateway. */
const STAND_IN = 'discovered'
const DISCOVERED = `The instances of the service are discovered by a running gateway: "${STAND_IN}" stands for one of them.`

/** Explains a request for a freshly started gateway with that configuration. Rejects with PolicyError, and in the same way as `explain`. */
export async function explainOffline(
  question: Question,
  configured: GatewayConfig,
  policies: readonly Policy[],
): Promise<Explanation> {
  const config = withStandIns(configured)
  const clock = systemClock
  const own = ownRoutesOf(config)
  const { services, board, snapshot, stores, close } = await makeTrial(config, policies, own, clock)
  const apiKeys = stores.apiKeys === null ? null : { find: noKeys }
  try {
    const explanation = await explain(question, {
      config,
      policies,
      services,
      own,
      snapshot,
      stores: { ...stores, apiKeys },
      callService: (name, request) => callService(services, name, request, clock),
      board,
      clock,
      random: Math.random,
      thread: {},
      worker: null,
      notes: NOTES,
    })
    const { service, notes } = explanation
    const isDiscovered = service !== null && config.services[service.name]?.discover !== undefined
    return isDiscovered ? { ...explanation, notes: [...notes, DISCOVERED] } : explanation
  } finally {
    close()
  }
}

function withStandIns(config: GatewayConfig): GatewayConfig {
  const services = { ...config.services }
  for (const [name, service] of Object.entries(services)) {
    if (service.discover === undefined) continue
    const { scheme } = service.discover
    const url = { scheme, host: STAND_IN, port: scheme === 'https' ? 443 : 80 }
    services[name] = { ...service, instances: [{ url, weight: 1 }] }
  }
  return { ...config, services }
}

/** The gateway's own endpoints, which have no handlers here. */
function ownRoutesOf({ endpoints }: GatewayConfig): BuiltInRoute[] {
  return ownPaths(endpoints).map(({ endpoint, path }) => ({
    endpoint,
    path,
    handler: () => new Reply(200, Headers.of(), null),
  }))
}

function noKeys(): never {
  throw new GatewayError(
    'keys-unavailable',
    'The API key cannot be checked here, because Redis is not used: ask a running gateway.',
  )
}
