import type { GatewayError } from '../core/errors.ts'
import type { Sender } from './sender.ts'
import type { ServerStream } from './server-stream.ts'
import type { StreamTable } from './stream-table.ts'

/** The open streams of a connection. */
export type Streams = Pick<StreamTable<ServerStream>, 'values'>

/** Streams whose exchange has not ended. */
export function runningOf(streams: Streams): ServerStream[] {
  return [...streams.values()].filter(({ current }) => current !== null)
}

/** Whether each of them waits for the client, to send something or to take something. */
export function allWaitForClient(streams: Streams, sender: Sender): boolean {
  return runningOf(streams).every((stream) => stream.waitsForClient || sender.waitsFor(stream))
}

/** Records the error with which they are going to end. */
export function blame(streams: Streams, error: GatewayError): void {
  for (const { current } of streams.values()) if (current !== null) current.error ??= error
}

/** Ends WebSockets shortly, with a Close frame; returns the other streams. */
export function leaveTunnels(streams: Streams): ServerStream[] {
  return [...streams.values()].filter((stream) => !stream.leaveTunnel())
}
