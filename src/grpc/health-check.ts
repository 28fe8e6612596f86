import { frame, PREFIX } from './message-frame.ts'

/** The method that reports whether a service can work (grpc.health.v1). */
export const HEALTH_CHECK = '/grpc.health.v1.Health/Check'

const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const

/** The status that a server reports for one of its services. */
export type ServingStatus = (typeof STATUSES)[number]

/** Field 1 of HealthCheckRequest, the name of the service, which is length-delimited (Protocol Buffers, "Encoding"). */
const SERVICE = 0x0a
/** Field 1 of HealthCheckResponse, the status, which is a varint. */
const STATUS = 0x08

/** A call of the method for that service, or for the server as a whole: "". The name has up to 127 ASCII characters. */
export function healthRequest(service: string): Buffer {
  const name = Buffer.from(service, 'latin1')
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([SERVICE, name.length]), name])
  return frame(message)
}

/**
 * The status in the first message of the reply. Throws an Error that says what is wrong unless the message has one of the two forms that
 * the protocol has: empty for UNKNOWN, which is the default, or the status alone.
 */
export function readHealthReply(content: Buffer): ServingStatus {
  const message = wholeMessage(content)
  if (message.length === 0) return 'UNKNOWN'
  const status = message[0] === STATUS && message.length === 2 ? STATUSES[message[1] ?? -1] : undefined
  if (status === undefined) throw new Error('the reply is not a grpc.health.v1 response')
  return status
}

function wholeMessage(content: Buffer): Buffer {
  if (content.length < PREFIX) throw new Error('the reply has no message')
  if (content[0] !== 0) throw new Error('the reply is compressed, which was not requested')
  if (content.readUInt32BE(1) !== content.length - PREFIX) throw new Error('the reply is not one whole message')
  return content.subarray(PREFIX)
}
