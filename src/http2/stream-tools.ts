import type { Deadlines } from '../http/deadlines.ts'
import type { ServerHandler, ServerOptions } from '../http/server-handler.ts'
import type { ErrorCode } from './errors.ts'
import type { ReceiveWindow } from './receive-window.ts'
import type { Sender, SendingStream } from './sender.ts'

/** What a stream needs of its connection. */
export interface StreamTools {
  readonly options: ServerOptions
  readonly deadlines: Deadlines
  readonly handler: ServerHandler
  readonly peer: string
  readonly sender: Sender
  /** How much content the client may send in all streams together. */
  readonly room: ReceiveWindow
  /** Nothing bounds how long the client may be silent: something else looks after it. */
  watchPeer(): void
  /** Ends a stream early. */
  endEarly(stream: SendingStream, code: ErrorCode): void
  /** Both sides of a stream have ended. */
  left(stream: SendingStream): void
}
