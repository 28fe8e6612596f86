import type { Attributes } from '@opentelemetry/api'
import {
  ATTR_RPC_METHOD,
  ATTR_RPC_METHOD_ORIGINAL,
  ATTR_RPC_STATUS_CODE,
  ATTR_RPC_SYSTEM_NAME,
  RPC_SYSTEM_NAME_VALUE_GRPC,
} from '@opentelemetry/semantic-conventions'
import { grpcStatus, type GrpcStatus, grpcStatusName } from '../grpc/status.ts'
import type { ReceivedExchange } from './received-exchange.ts'

/** Characters of a method that are kept. */
const LENGTH = 256

/** Of a method that nobody is known to have: clients may name any. */
const OTHER = '_OTHER'

/**
 * The method of a call, as "package.Service/Method"; null where it may be one that a client has made up: no route is for it alone, and no
 * instance has answered it in another way than that there is none.
 */
export function knownMethod({ path, route, record }: ReceivedExchange): string | null {
  const answered = record?.attempts.at(-1)?.grpcStatus ?? null
  const known = route.pattern === path || (answered !== null && answered !== grpcStatus('UNIMPLEMENTED'))
  return known ? path.slice(1, LENGTH) : null
}

/** What spans of a call say of it (OpenTelemetry, semantic conventions for gRPC); nothing for other exchanges. */
export function callAttributes(exchange: ReceivedExchange, status: GrpcStatus | null): Attributes {
  if (exchange.grpc === null) return {}
  const method = knownMethod(exchange)
  return {
    [ATTR_RPC_SYSTEM_NAME]: RPC_SYSTEM_NAME_VALUE_GRPC,
    [ATTR_RPC_METHOD]: method ?? OTHER,
    ...(method === null && { [ATTR_RPC_METHOD_ORIGINAL]: exchange.path.slice(1, LENGTH) }),
    ...(status !== null && { [ATTR_RPC_STATUS_CODE]: grpcStatusName(status) }),
  }
}
