import type { Deadlines } from '../http/deadlines.ts'
import type { ServerHandler, ServerOptions } from '../http/server-handler.ts'
import type { ErrorCode } from './errors.ts'
import type { ReceiveWindow } from './receive-window.ts'
import type { Sender, SendingStream } from './sender.ts'

/** What a stream needs from its connection. */
export interface StreamTools {
  readonly options: ServerOptions
  readonly deadlines: Deadlines
  readonly handler: ServerHandler
  readonly peer: string
  readonly sender: Sender
  /** The window for content of all streams together. */
  readonly room: ReceiveWindow
  /** Nothing limits how long the client may be silent: enables TCP keep-alive. */
  watchPeer(): void
  /** Resets a stream. */
  endEarly(stream: SendingStream, code: ErrorCode): void
  /** Both sides of a stream have ended. */
  left(stream: SendingStream): void
}
