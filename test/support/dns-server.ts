import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, isIPv6, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'

const HOST = '127.0.0.1'
/** RFC 1035 section 3.2.2, RFC 3596 section 2.1, RFC 2782. */
const TYPES = { A: 1, AAAA: 28, SRV: 33 } as const
/** RFC 1035 section 4.1.1. */
const CODES = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const
/** Maximum size of a UDP response without EDNS, in bytes. */
const DATAGRAM = 512

type Type = keyof typeof TYPES

/** The response to one question. */
export interface DnsReply {
  /** Default NOERROR. */
  readonly code?: keyof typeof CODES
  /** Addresses, or "priority weight port target". Default none. */
  readonly records?: readonly string[]
  /** In seconds. Default 0. */
  readonly ttl?: number
  /** There is no response at all. Default false. */
  readonly silent?: boolean
}

/** A received question. */
export interface DnsQuestion {
  readonly name: string
  readonly type: string
  readonly over: 'udp' | 'tcp'
}

/** A DNS server for tests: unknown names are NXDOMAIN. */
export class DnsServer {
  readonly asked: DnsQuestion[] = []
  private readonly replies = new Map<string, DnsReply>()
  private readonly watchers = new Set<() => void>()
  readonly port: number

  constructor(port: number) {
    this.port = port
  }

  /** "127.0.0.1:port". */
  get address(): string {
    return `${HOST}:${this.port}`
  }

  set(name: string, type: Type, reply: DnsReply): void {
    this.replies.set(`${type} ${name}`, reply)
  }

  /** Resolves when that question has been asked that many times. */
  async until(name: string, type: Type, times: number): Promise<void> {
    const count = (): number => this.asked.filter((each) => each.name === name && each.type === type).length
    while (count() < times) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.watchers.add(resolve)
      await promise
    }
  }

  /** The response to a client's message; null for none. */
  answer(message: Buffer, over: 'udp' | 'tcp'): Buffer | null {
    const { name, type, end } = questionOf(message)
    this.asked.push({ name, type, over })
    for (const look of this.watchers) look()
    this.watchers.clear()
    const { code, records = [], ttl = 0, silent = false } = this.replyTo(name, type)
    if (silent) return null
    const answers = records.map((record) => encode(type, record, ttl))
    const whole = Buffer.concat([message.subarray(12, end), ...answers])
    const truncated = over === 'udp' && whole.length + 12 > DATAGRAM
    const header = Buffer.alloc(12)
    message.copy(header, 0, 0, 2)
    // A response with recursion desired and available.
    header.writeUInt16BE(0x8180 | (truncated ? 0x0200 : 0) | CODES[code ?? 'NOERROR'], 2)
    header.writeUInt16BE(1, 4)
    header.writeUInt16BE(truncated ? 0 : answers.length, 6)
    return Buffer.concat([header, truncated ? message.subarray(12, end) : whole])
  }

  private replyTo(name: string, type: string): DnsReply {
    const reply = this.replies.get(`${type} ${name}`)
    if (reply !== undefined) return reply
    const known = [...this.replies.keys()].some((key) => key.endsWith(` ${name}`))
    return { code: known ? 'NOERROR' : 'NXDOMAIN' }
  }
}

/** Runs until the end of the test, on one port for UDP and TCP. */
export async function startDns(t: TestContext): Promise<DnsServer> {
  const tcp = createServer()
  tcp.listen(0, HOST)
  await once(tcp, 'listening')
  const address = tcp.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const udp = createSocket('udp4')
  udp.bind(address.port, HOST)
  await once(udp, 'listening')
  const server = new DnsServer(address.port)
  udp.on('message', (message, from) => {
    const reply = server.answer(message, 'udp')
    if (reply !== null) udp.send(reply, from.port, from.address)
  })
  const sockets = new Set<Socket>()
  tcp.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let received = Buffer.alloc(0)
    socket.on('data', (bytes: Buffer) => {
      received = Buffer.concat([received, bytes])
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const length = received.readUInt16BE(0)
        const reply = server.answer(received.subarray(2, 2 + length), 'tcp')
        received = received.subarray(2 + length)
        if (reply === null) continue
        const head = Buffer.alloc(2)
        head.writeUInt16BE(reply.length)
        socket.write(Buffer.concat([head, reply]))
      }
    })
  })
  cleanUp(t, () => {
    udp.close()
    tcp.close()
    for (const socket of sockets) socket.destroy()
  })
  return server
}

function questionOf(message: Buffer): { name: string; type: string; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  const number = message.readUInt16BE(at + 1)
  const type = Object.entries(TYPES).find(([, each]) => each === number)?.[0] ?? String(number)
  return { name: labels.join('.').toLowerCase(), type, end: at + 5 }
}

function encode(type: string, record: string, ttl: number): Buffer {
  const data = type === 'SRV' ? srv(record) : isIPv6(record) ? v6(record) : Buffer.from(record.split('.').map(Number))
  const head = Buffer.alloc(12)
  // A pointer to the name in the question.
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type === 'SRV' ? TYPES.SRV : type === 'AAAA' ? TYPES.AAAA : TYPES.A, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(ttl, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

function srv(record: string): Buffer {
  const [priority = '0', weight = '0', port = '0', target = '.'] = record.split(' ')
  const numbers = Buffer.alloc(6)
  for (const [i, each] of [priority, weight, port].entries()) numbers.writeUInt16BE(Number(each), i * 2)
  const labels = target.split('.').filter((label) => label !== '')
  return Buffer.concat([
    numbers,
    ...labels.map((label) => Buffer.from(String.fromCharCode(label.length) + label, 'latin1')),
    Buffer.alloc(1),
  ])
}

function v6(text: string): Buffer {
  const [left = '', right] = text.split('::')
  const groups = (part: string): number[] =>
    part === '' ? [] : part.split(':').map((each) => Number.parseInt(each, 16))
  const [head, tail] = [groups(left), groups(right ?? '')]
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0)
  const bytes = Buffer.alloc(16)
  for (const [i, group] of [...head, ...zeros, ...tail].entries()) bytes.writeUInt16BE(group, i * 2)
  return bytes
}
