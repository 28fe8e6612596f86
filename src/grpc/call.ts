import type { GrpcStatus } from './status.ts'

/** "application/grpc", alone or with the form of its messages; grpc-web is another protocol. */
const CONTENT_TYPE = /^application\/grpc(?:[+;\s]|$)/i

/** Whether a request with that Content-Type is a call of gRPC (gRPC over HTTP/2, "Content-Type"). */
export function isGrpc(contentType: string | undefined): boolean {
  return contentType !== undefined && CONTENT_TYPE.test(contentType)
}

/** What there is to know of an exchange that is a call of gRPC. */
export class GrpcCall {
  /** When it is to be over, in monotonic milliseconds, as its client wants; Infinity where that is left open. */
  readonly deadline: number
  /** How it ended, as its client is told; null while that is not known, or where the reply does not say it. */
  status: GrpcStatus | null = null

  constructor(deadline: number) {
    this.deadline = deadline
  }
}
