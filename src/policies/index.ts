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
 * Every policy; the order of this list is the order of the chain, the first one outermost. Requests are validated as
 * their client sent them, once it is known that it may send any, and before a transform or a cache makes use of them. What is
 * repeated is what a client has sent, and no request that is refused takes up its key. What refuses tells clients of grpc-web in their
 * terms, and what looks at JSON sees it before it becomes gRPC.
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

/** Whether a policy may be run where somebody only asks what would become of a request. */
export function runsDry(policy: Policy): boolean {
  return policy.runsDry ?? known.has(policy)
}

type Listed = (typeof policies)[number]

/** The keys that `policies:` of the configuration knows. */
export type PolicyName = Listed['name']

/** Policy name -> its options as they are written in the configuration. */
export type PolicyInputs = { [P in Listed as P['name']]: z.input<P['options']> }

/** Policy name -> its options after parsing: defaults filled in, durations in milliseconds, sizes in bytes. */
export type PolicyOptions = { [P in Listed as P['name']]: z.output<P['options']> }
