import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cases } from '../../test/support/cases.ts'
import { readRequests, readResponses } from '../../test/support/llhttp.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { bytes } from '../../test/support/bytes.ts'
import { outgoing } from '../../test/support/outgoing.ts'
import { readInto, RecordingSocket } from '../../test/support/recording-socket.ts'
import { ServerHarness } from '../../test/support/server-harness.ts'
import type { Reply } from '../http/reply.ts'
import { ClientConnection } from './client-connection.ts'
import { Deadlines } from '../http/deadlines.ts'
import { defaultHeadLimits } from '../http/limits.ts'
import { ResponseHead } from './response-head.ts'
import type { ServerExchange } from '../http/server-exchange.ts'

/** One content on its way, and the sizes of its chunks, or none where its length is announced. */
interface Transfer {
  readonly length: number
  readonly chunks: readonly number[]
}

const clientOptions = {
  ...defaultHeadLimits,
  responseTimeout: 30_000,
  idleTimeout: 60_000,
  poolTimeout: 40_000,
  lifetime: () => 300_000,
  encryption: null,
}

/** A client and a service with the gateway's two connections between them; every byte of `name` is its own. */
class Relay {
  readonly client: RecordingSocket
  readonly service = new RecordingSocket()
  private readonly uploaded: string
  private readonly downloaded: string
  private readonly toService: string[]
  private readonly toClient: string[]
  private readonly connection: ClientConnection
  private sent = false

  constructor(number: number, up: Transfer, down: Transfer, pieces: readonly number[]) {
    this.uploaded = contentOf(number, up.length)
    this.downloaded = contentOf(number + 100, down.length)
    this.toService = cutUp(`POST /${number} HTTP/1.1\r\nHost: a\r\n${framed(this.uploaded, up)}`, pieces)
    this.toClient = cutUp(
      `HTTP/1.1 200 OK\r\nX-Number: ${number}\r\n${framed(this.downloaded, down)}`,
      pieces.toReversed(),
    )
    this.connection = new ClientConnection(
      this.service,
      {
        options: clientOptions,
        head: new ResponseHead(clientOptions),
        release: () => {},
        detach: () => true,
        closed: () => {},
      },
      new Deadlines(new ManualClock()),
    )
    readInto(this.service, this.connection)
    this.client = new ServerHarness((exchange) => this.forward(exchange), { body: 10_000_000 }).open().socket
  }

  private forward({ method, path, body }: ServerExchange): Promise<Reply> {
    this.sent = true
    return new Promise((resolve, reject) => {
      this.connection.exchange(
        { ...outgoing, method, target: path, body },
        { interimReply: () => {}, replied: resolve, failed: reject, finished: () => {}, brokeOff: () => {} },
      )
    })
  }

  /** Does one thing that may happen now, if that one may. */
  step(action: number): boolean {
    const { client, service, toService, toClient } = this
    switch (action) {
      case 0:
        return this.deliver(client, toService, true)
      case 1:
        // The last piece waits for the end of the request: it would be broken off otherwise.
        return this.deliver(service, toClient, this.sent && (toClient.length > 1 || this.requestRead))
      case 2:
        client.taking = service.taking = false
        return false
      case 3:
        return drain(client)
      default:
        return drain(service)
    }
  }

  /** All of it, with a peer on either side that takes and sends what it can. */
  async finish(): Promise<void> {
    for (let moved = true; moved;) {
      moved = false
      for (const action of [0, 1, 3, 4]) moved = this.step(action) || moved
      await new Promise(setImmediate)
    }
  }

  check(): void {
    const request = readRequests([Buffer.from(this.service.written, 'latin1')])
    const response = readResponses([Buffer.from(this.client.written, 'latin1')], 'POST', false)
    assert.deepEqual([request.error, response.error], [null, null])
    assert.deepEqual([request.messages.length, response.messages.length], [1, 1])
    assert.ok(request.messages[0]!.complete && response.messages[0]!.complete)
    assert.ok(request.messages[0]!.body === this.uploaded, 'the service gets what the client sent')
    assert.ok(response.messages[0]!.body === this.downloaded, 'the client gets what the service sent')
    assert.ok(this.client.reading && this.service.reading, 'both connections stay open')
  }

  private get requestRead(): boolean {
    return (
      this.toService.length === 0 &&
      readRequests([Buffer.from(this.service.written, 'latin1')]).messages[0]?.complete === true
    )
  }

  private deliver(socket: RecordingSocket, pieces: string[], may: boolean): boolean {
    if (!may || !socket.reading || pieces.length === 0) return false
    socket.receive(pieces.shift()!)
    return true
  }
}

function drain(socket: RecordingSocket): boolean {
  if (socket.writableLength === 0) return false
  socket.drain()
  return true
}

function contentOf(number: number, length: number): string {
  return bytes(length + number).toString('latin1', number)
}

function framed(content: string, { chunks }: Transfer): string {
  if (chunks.length === 0) return `Content-Length: ${content.length}\r\n\r\n${content}`
  let text = 'Transfer-Encoding: chunked\r\n\r\n'
  for (let at = 0, i = 0; at < content.length; i++) {
    const chunk = content.slice(at, at + chunks[i % chunks.length]!)
    text += `${chunk.length.toString(16)}\r\n${chunk}\r\n`
    at += chunk.length
  }
  return `${text}0\r\n\r\n`
}

function cutUp(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = []
  for (let at = 0, i = 0; at < text.length; i++) {
    const piece = text.slice(at, at + sizes[i % sizes.length]!)
    pieces.push(piece)
    at += piece.length
  }
  return pieces
}

const size = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1000, max: 81_920 }))
const transfer: fc.Arbitrary<Transfer> = fc.record({
  length: fc.oneof(fc.nat(300), fc.nat(200_000)),
  chunks: fc.oneof(
    fc.constant([]),
    fc.array(fc.oneof(fc.integer({ min: 200, max: 4000 }), fc.integer({ min: 1000, max: 60_000 })), { maxLength: 4 }),
  ),
})
const pieces = fc.array(size, { minLength: 1, maxLength: 6 }).map((sizes) => sizes.concat(20_000))
const steps = fc.array(fc.tuple(fc.nat(1), fc.nat(4)), { maxLength: 60 })

test('property: bodies arrive unchanged, however reads and writes of several connections interleave', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(transfer, transfer, pieces), { minLength: 2, maxLength: 2 }),
      steps,
      async (made, order) => {
        const relays = made.map(([up, down, sizes], number) => new Relay(number, up, down, sizes))
        for (const [which, action] of order) {
          relays[which]!.step(action)
          await new Promise(setImmediate)
        }
        for (const relay of relays) await relay.finish()
        for (const relay of relays) relay.check()
      },
    ),
    { numRuns: cases(12) },
  )
})
