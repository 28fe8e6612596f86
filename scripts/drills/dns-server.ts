import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

/** Size of a message header in bytes (RFC 1035 section 4.1.1). */
const HEAD = 12
const A = 1
const IN = 1
/** An authoritative response, whether or not the query asked for recursion. */
const ANSWER = 0x8400
const RECURSION_DESIRED = 0x0100
const NAME_ERROR = 3
/** A pointer to the name in the question (RFC 1035 section 4.1.4). */
const NAME_OF_QUESTION = 0xc0_0c

/** A DNS server over UDP that knows one name, whose addresses can change. */
export class DnsServer {
  readonly name: string
  /** How long an answer may be cached, in seconds. */
  private readonly ttl: number
  private readonly socket: Socket
  private addresses: readonly string[]

  private constructor(name: string, ttl: number, addresses: readonly string[], socket: Socket) {
    this.name = name
    this.ttl = ttl
    this.addresses = addresses
    this.socket = socket
    socket.on('message', (query, { address, port }) => {
      const reply = this.reply(query)
      if (reply !== null) socket.send(reply, port, address)
    })
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(name: string, ttl: number, addresses: readonly string[]): Promise<DnsServer> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new DnsServer(name, ttl, addresses, socket)
  }

  get port(): number {
    return this.socket.address().port
  }

  /** Changes the IPv4 addresses of the name. */
  move(addresses: readonly string[]): void {
    this.addresses = addresses
  }

  close(): void {
    this.socket.close()
  }

  /** The response to a query, or null if the message is not a query; types other than A have no records, other names do not exist. */
  private reply(query: Buffer): Buffer | null {
    const question = readQuestion(query)
    if (question === null) return null
    const { name, type, end } = question
    const known = name === this.name
    const records = known && type === A ? this.addresses.map((address) => this.record(address)) : []
    const head = Buffer.alloc(HEAD)
    query.copy(head, 0, 0, 2)
    head.writeUInt16BE(ANSWER | (query.readUInt16BE(2) & RECURSION_DESIRED) | (known ? 0 : NAME_ERROR), 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(records.length, 6)
    return Buffer.concat([head, query.subarray(HEAD, end), ...records])
  }

  private record(address: string): Buffer {
    const record = Buffer.alloc(16)
    record.writeUInt16BE(NAME_OF_QUESTION, 0)
    record.writeUInt16BE(A, 2)
    record.writeUInt16BE(IN, 4)
    record.writeUInt32BE(this.ttl, 6)
    record.writeUInt16BE(4, 10)
    record.set(address.split('.').map(Number), 12)
    return record
  }
}

/** The single question of a query: its name in lower case, its type, and where it ends. */
function readQuestion(query: Buffer): { name: string; type: number; end: number } | null {
  if (query.length < HEAD || query.readUInt16BE(4) !== 1) return null
  const labels: string[] = []
  let at = HEAD
  for (;;) {
    const length = query[at]
    if (length === undefined || length > 63) return null
    at++
    if (length === 0) break
    labels.push(query.toString('latin1', at, at + length).toLowerCase())
    at += length
  }
  if (at + 4 > query.length) return null
  return { name: labels.join('.'), type: query.readUInt16BE(at), end: at + 4 }
}
