import type { Socket } from 'node:net'

/** Flush threshold in characters: backpressure from a slow peer must be noticed before too much has accumulated. */
const MAX = 65_536

/** The owner of a TurnWriter. */
export interface TurnOwner {
  /** The socket's buffer is full: it emits 'drain' once the peer has taken it. */
  full(): void
}

/** Per thread: writers with text to be written at the end of this turn of the event loop. */
const waiting: TurnWriter[] = []

/**
 * Collects the text for one peer during a turn of the event loop, one character per byte, and writes it once everything
 * read in that turn has been processed: in one write per peer, for all peers in succession. Writing between two reads
 * would wake the peer each time, only for it to sleep again before the next write; and switching between the reading
 * code and the kernel's writing code would evict both from the CPU caches.
 */
export class TurnWriter {
  private readonly socket: Socket
  private readonly owner: TurnOwner | null
  private text = ''
  private listed = false

  constructor(socket: Socket, owner: TurnOwner | null = null) {
    this.socket = socket
    this.owner = owner
  }

  /** The end of the turn: writes what was collected. */
  static endTurn(this: void): void {
    for (const writer of waiting.splice(0)) {
      writer.listed = false
      writer.flush()
    }
  }

  /** Bytes not written yet. */
  get length(): number {
    return this.text.length
  }

  /** Adds text; nothing may then be written to the socket directly before `flush`. */
  put(text: string): void {
    this.text += text
    if (this.text.length > MAX) return this.flush()
    if (this.listed) return
    this.listed = true
    if (waiting.push(this) === 1) setImmediate(TurnWriter.endTurn)
  }

  /** Removes and returns what was collected, for the caller to write. */
  take(): string {
    const { text } = this
    this.text = ''
    return text
  }

  /** Writes what was collected now: required before writing to the socket directly or ending it. */
  flush(): void {
    const { socket, text } = this
    if (text === '') return
    this.text = ''
    if (!socket.destroyed && !socket.writableEnded && !socket.write(text, 'latin1')) this.owner?.full()
  }
}
