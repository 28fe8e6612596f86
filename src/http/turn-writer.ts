import type { Socket } from 'node:net'

/** Characters that are gathered at most: a peer that takes no more is to be noticed before there are many. */
const MOST = 65_536

/** Who writes to a socket. */
export interface TurnOwner {
  /** The peer takes no more for now: the socket emits 'drain' when it does. */
  full(): void
}

/** Of the thread: who has something to be written when all that was read in this turn of the loop has been looked at. */
const waiting: TurnWriter[] = []

/**
 * Gathers the text that goes to one peer in one turn of the loop, one character an octet, and writes it when everything has been looked at
 * that was read in that turn: at once for each peer, and for all peers one after the other. Who writes between two reads wakes its peer,
 * finds it asleep again for the next write, and pays for each time; and neither the code that reads nor the system's that writes stays in
 * the caches next to the core.
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

  /** The turn is over: writes what was gathered in it. */
  static endTurn(this: void): void {
    for (const writer of waiting.splice(0)) {
      writer.listed = false
      writer.flush()
    }
  }

  /** Octets that were not written yet. */
  get length(): number {
    return this.text.length
  }

  /** Adds text, after which nothing may be written to the socket itself before `flush`. */
  put(text: string): void {
    this.text += text
    if (this.text.length > MOST) return this.flush()
    if (this.listed) return
    this.listed = true
    if (waiting.push(this) === 1) setImmediate(TurnWriter.endTurn)
  }

  /** What was gathered, which is written in another way. */
  take(): string {
    const { text } = this
    this.text = ''
    return text
  }

  /** Writes what was gathered now: before anything is written to the socket itself, and before the socket is ended. */
  flush(): void {
    const { socket, text } = this
    if (text === '') return
    this.text = ''
    if (!socket.destroyed && !socket.writableEnded && !socket.write(text, 'latin1')) this.owner?.full()
  }
}
