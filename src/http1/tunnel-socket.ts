import type { Socket } from 'node:net'
import type { TunnelEnd } from '../http/upgrade.ts'

/** The client's end of a tunnel: tells its connection when the client has to take something before more is written. */
export class TunnelSocket implements TunnelEnd {
  private readonly socket: Socket
  private readonly blocked: () => void

  constructor(socket: Socket, blocked: () => void) {
    this.socket = socket
    this.blocked = blocked
  }

  get destroyed(): boolean {
    return this.socket.destroyed
  }

  get writableEnded(): boolean {
    return this.socket.writableEnded
  }

  get writableLength(): number {
    return this.socket.writableLength
  }

  write(bytes: Buffer): boolean {
    const goesOn = this.socket.write(bytes)
    if (!goesOn) this.blocked()
    return goesOn
  }

  end(): void {
    this.socket.end()
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    this.socket.resume()
  }

  destroySoon(): void {
    this.socket.destroySoon()
  }

  destroy(): void {
    this.socket.destroy()
  }
}
