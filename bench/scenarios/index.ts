import { cacheHit, cacheHit64k, cacheHitRedis, cacheHitRedis64k } from './cache-hit.ts'
import { connections1000 } from './connections-1000.ts'
import { file10k } from './file-10k.ts'
import { full } from './full.ts'
import { get10m } from './get-10m.ts'
import { get20Headers } from './get-20-headers.ts'
import { get64k } from './get-64k.ts'
import { getSmall } from './get-small.ts'
import {
  http2Both,
  http2BothConnections,
  http2Connections,
  http2Full,
  http2Headers,
  http2Large,
  http2Post,
  http2Small,
  http2Tls,
} from './http2.ts'
import { latency, latencyFull } from './latency.ts'
import { newConnection } from './new-connection.ts'
import { post10m } from './post-10m.ts'
import { post1k } from './post-1k.ts'
import { secured, securedRedis } from './secured.ts'
import type { Scenario } from './scenario.ts'
import { tls1m, tlsHandshake, tlsHandshakeRsa, tlsResumed, tlsSmall } from './tls.ts'
import { transform } from './transform.ts'
import { twoWorkers } from './two-workers.ts'

/** Every scenario, in the order in which they run. */
export const scenarios: Scenario[] = [
  getSmall,
  get20Headers,
  post1k,
  get64k,
  get10m,
  post10m,
  connections1000,
  newConnection,
  twoWorkers,
  secured,
  securedRedis,
  full,
  latency,
  latencyFull,
  cacheHit,
  cacheHit64k,
  cacheHitRedis,
  cacheHitRedis64k,
  file10k,
  transform,
  tlsSmall,
  tls1m,
  tlsHandshake,
  tlsHandshakeRsa,
  tlsResumed,
  http2Small,
  http2Connections,
  http2Headers,
  http2Post,
  http2Large,
  http2Tls,
  http2Both,
  http2BothConnections,
  http2Full,
]
