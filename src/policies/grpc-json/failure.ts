import type { JsonValue, Registry } from '@bufbuild/protobuf'
import { decodeMessage } from '../../grpc/decode-message.ts'
import { grpcStatusName, type GrpcStatus, parseGrpcStatus } from '../../grpc/status.ts'
import { httpStatusOf } from '../../grpc/status-in-http.ts'
import { fieldOf, itemsOf } from '../../core/value.ts'
import { newUuid } from '../../core/uuid.ts'
import type { Exchange } from '../../http/exchange.ts'
import { GRPC_MESSAGE, GRPC_STATUS } from '../../http/grpc-error.ts'
import type { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { commonTypes } from './descriptors.ts'
import { protobuf, wellKnown } from './library.ts'

/** Thrown if a call ended with an error status. */
export class CallFailed extends Error {
  readonly status: GrpcStatus
  private readonly detail: string
  private readonly details: string | undefined

  /** `fields` are the trailers, or the headers of a reply that has only those. */
  constructor(fields: Headers | null) {
    const statusValue = fields?.get(GRPC_STATUS)
    const status = parseGrpcStatus(statusValue ?? '')
    const detail =
      statusValue === undefined
        ? 'The service ended its reply without a status'
        : decodeMessage(fields?.get(GRPC_MESSAGE) ?? '')
    super(detail === '' ? grpcStatusName(status) : detail)
    this.status = status
    this.detail = detail
    this.details = fields?.get('grpc-status-details-bin')
  }

  /** The problem document for the failure (RFC 9457); details of types that `registry` does not know are left out. */
  toJson(
    { correlationId, trace }: Pick<Exchange, 'correlationId' | 'trace'>,
    registry: Registry,
  ): Record<string, unknown> {
    const name = grpcStatusName(this.status)
    const status = httpStatusOf(this.status)
    const details = this.details === undefined ? [] : detailsIn(this.details, registry)
    return {
      type: `urn:sallyport:grpc:${name.toLowerCase().replaceAll('_', '-')}`,
      title: titleOf(name),
      status,
      ...(this.detail !== '' && { detail: this.detail }),
      instance: correlationId,
      ...(trace.traceId !== '' && { trace_id: trace.traceId }),
      code: name,
      ...(details.length > 0 && { details }),
    }
  }

  /** The reply that reports the failure to the client. */
  toReply(exchange: Exchange, headers: Headers, registry: Registry): Reply {
    exchange.correlationId ||= newUuid()
    const reply = Reply.json(httpStatusOf(this.status), this.toJson(exchange, registry), 'application/problem+json')
    for (const [field, value] of headers) reply.headers.append(field, value)
    return reply
  }
}

function titleOf(name: string): string {
  const words = name.toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/** The details of a base64-encoded google.rpc.Status. */
function detailsIn(encoded: string, registry: Registry): JsonValue[] {
  const { fromBinary, isMessage, toJson } = protobuf()
  const { AnySchema } = wellKnown()
  const status = unlessBroken(() => fromBinary(commonTypes().status, Buffer.from(encoded, 'base64')))
  return itemsOf(fieldOf(status, 'details')).flatMap((detail) => {
    const json = isMessage(detail, AnySchema) ? unlessBroken(() => toJson(AnySchema, detail, { registry })) : null
    return json === null ? [] : [json]
  })
}

function unlessBroken<T>(read: () => T): T | null {
  try {
    return read()
  } catch {
    return null
  }
}
