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

/** Maximum length of a method in characters. */
const LENGTH = 256

/** Stands for methods that are not known to exist, because clients may name anything. */
const OTHER = '_OTHER'

/**
 * The method of a call, as "package.Service/Method"; null if a client may have made it up: no route is for this method alone, and no
 * instance has answered with anything other than "unimplemented".
 */
export function knownMethod({ path, route, record }: ReceivedExchange): string | null {
  const answered = record?.attempts.at(-1)?.grpcStatus ?? null
  const known = route.pattern === path || (answered !== null && answered !== grpcStatus('UNIMPLEMENTED'))
  return known ? path.slice(1, LENGTH) : null
}

/** Attributes of a call's spans (OpenTelemetry, semantic conventions for gRPC); empty for other exchanges. */
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
