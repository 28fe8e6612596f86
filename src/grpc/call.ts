import type { GrpcStatus } from './status.ts'

/** "application/grpc", alone or with a message format; grpc-web is a different protocol. */
const CONTENT_TYPE = /^application\/grpc(?:[+;\s]|$)/i

/** Whether a request with that Content-Type is a gRPC call (gRPC over HTTP/2, "Content-Type"). */
export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && CONTENT_TYPE.test(contentType)
}

/** The state of an exchange that is a gRPC call. */
export class GrpcCall {
  /** The client's deadline in monotonic milliseconds; Infinity if there is none. */
  readonly deadline: number
  /** The status that the client receives; null while it is unknown, or if the reply has none. */
  status: GrpcStatus | null = null

  constructor(deadline: number) {
    this.deadline = deadline
  }
}
