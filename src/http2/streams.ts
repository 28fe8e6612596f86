import type { GatewayError } from '../core/errors.ts'
import type { Sender } from './sender.ts'
import type { ServerStream } from './server-stream.ts'

/** The streams of a connection that are not over, by their ids. */
export type Streams = ReadonlyMap<number, ServerStream>

/** Those whose requests are not yet answered whole. */
export function runningOf(streams: Streams): ServerStream[] {
  return [...streams.values()].filter(({ current }) => current !== null)
}

/** Whether each of them waits for the client, to send something or to take something. */
export function allWaitForClient(streams: Streams, sender: Sender): boolean {
  return runningOf(streams).every((stream) => stream.waitsForClient || sender.waitsFor(stream))
}

/** Says what they are going to end with. */
export function blame(streams: Streams, error: GatewayError): void {
  for (const { current } of streams.values()) if (current !== null) current.error ??= error
}

/** Tells WebSockets that they end, which they do in a moment; returns how many there are. */
export function leaveTunnels(streams: Streams): number {
  return [...streams.values()].filter((stream) => stream.leaveTunnel()).length
}
