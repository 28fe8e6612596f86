import type { Socket } from 'node:net'
import type { Tunnel } from '../core/upgrade.ts'
import type { Deadlines, Timed } from './deadlines.ts'

/** Two sockets joined after an upgrade, with backpressure and half-close in both directions, and an idle limit for both. */
export class SocketTunnel implements Tunnel, Timed {
  bytes = 0
  deadline: number

  private readonly client: Socket
  private readonly service: Socket
  private readonly deadlines: Deadlines
  private readonly idleTimeout: number

  /** `idleTimeout` in milliseconds without an octet in either direction. */
  constructor(client: Socket, service: Socket, deadlines: Deadlines, idleTimeout: number) {
    this.client = client
    this.service = service
    this.deadlines = deadlines
    this.idleTimeout = idleTimeout
    this.deadline = deadlines.in(idleTimeout)
    deadlines.watch(this)
  }

  fromClient(octets: Buffer): void {
    this.pass(octets, this.client, this.service)
  }

  fromService(octets: Buffer): void {
    this.bytes += octets.length
    this.pass(octets, this.service, this.client)
  }

  clientDrained(): void {
    this.service.resume()
  }

  serviceDrained(): void {
    this.client.resume()
  }

  clientEnded(): void {
    this.service.end()
  }

  serviceEnded(): void {
    this.client.end()
  }

  close(): void {
    this.client.destroySoon()
    this.service.destroySoon()
    if (this.client.destroyed && this.service.destroyed) this.deadlines.forget(this)
  }

  destroy(): void {
    this.deadlines.forget(this)
    this.client.destroy()
    this.service.destroy()
  }

  onDeadline(): void {
    this.destroy()
  }

  private pass(octets: Buffer, from: Socket, to: Socket): void {
    this.deadline = this.deadlines.in(this.idleTimeout)
    if (!to.write(Buffer.from(octets))) from.pause()
  }
}
