import type { z } from 'zod'
import type { Policy } from './policy.ts'
import { auth } from './auth/policy.ts'
import { cache } from './cache/policy.ts'
import { cdn } from './cdn/policy.ts'
import { compression } from './compression/policy.ts'
import { correlationId } from './correlation-id.ts'
import { cors } from './cors.ts'
import { errorPages } from './error-pages/policy.ts'
import { grpcJson } from './grpc-json/policy.ts'
import { grpcWeb } from './grpc-web/policy.ts'
import { idempotency } from './idempotency/policy.ts'
import { ipAccess } from './ip-access.ts'
import { maintenance } from './maintenance.ts'
import { rateLimit } from './rate-limit/policy.ts'
import { requestHeaders } from './request-headers.ts'
import { responseHeaders } from './response-headers.ts'
import { securityHeaders } from './security-headers.ts'
import { serverTiming } from './server-timing.ts'
import { transform } from './transform/policy.ts'
import { validation } from './validation/policy.ts'

/**
 * All policies, in the order of the chain, outermost first. Requests are validated as sent by the client, after it has been
 * established that the client may send requests at all, and before a transform or a cache uses them. Idempotency applies to what
 * the client sent, and a refused request does not occupy its key. Policies that refuse requests reply to grpc-web clients in that
 * protocol, and policies that read JSON see it before it is converted to gRPC.
 */
export const policies = [
  correlationId,
  cdn,
  serverTiming,
  compression,
  responseHeaders,
  securityHeaders,
  errorPages,
  grpcWeb,
  cors,
  ipAccess,
  maintenance,
  auth,
  rateLimit,
  validation,
  idempotency,
  transform,
  requestHeaders,
  cache,
  grpcJson,
] as const satisfies readonly Policy[]

const known = new Set<Policy>(policies)

/** Whether a policy may be run in a dry run. */
export function runsDry(policy: Policy): boolean {
  return policy.runsDry ?? known.has(policy)
}

type Listed = (typeof policies)[number]

/** The policy names allowed under `policies:` in the configuration. */
export type PolicyName = Listed['name']

/** Policy name -> its options as written in the configuration. */
export type PolicyInputs = { [P in Listed as P['name']]: z.input<P['options']> }

/** Policy name -> its options after parsing: defaults applied, durations in milliseconds, sizes in bytes. */
export type PolicyOptions = { [P in Listed as P['name']]: z.output<P['options']> }
