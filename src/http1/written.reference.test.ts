import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cases } from '../../test/support/cases.ts'
import { PartsBody } from '../../test/support/bodies.ts'
import { knownMethods, type Reading, readRequests, readResponses } from '../../test/support/llhttp.ts'
import { content, fieldValue, token } from '../../test/support/messages.ts'
import { RecordingSocket } from '../../test/support/recording-socket.ts'
import { ServerHarness } from '../../test/support/server-harness.ts'
import { type Body, Bytes } from '../http/body.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { trailerFieldNames } from '../http/field-names.ts'
import { MessageWriter } from './message-writer.ts'
import { isWireField } from '../../test/support/own-reader.ts'

interface Content {
  readonly kind: 'none' | 'bytes' | 'known' | 'unknown'
  readonly parts: readonly string[]
  readonly trailers: [string, string][]
}

/** Most parts are short, some longer than what goes out in one write. */
const part = fc.oneof(
  { weight: 6, arbitrary: content },
  fc
    .tuple(fc.integer({ min: 14_000, max: 40_000 }), content)
    .map(([length, text]) => `${text}.`.repeat(length).slice(0, length)),
)
const fields = fc
  .array(fc.tuple(token, fieldValue), { maxLength: 5 })
  .map((list) => list.filter(([name]) => !isWireField(trailerFieldNames, name)))
const body: fc.Arbitrary<Content> = fc.record({
  kind: fc.constantFrom('none', 'bytes', 'known', 'unknown'),
  parts: fc.array(part, { maxLength: 4 }),
  trailers: fields,
})
/** Which of the writes the peer takes at once. */
const takes = fc.array(fc.boolean(), { maxLength: 12 })

function bodyOf({ kind, parts, trailers }: Content): Body {
  if (kind === 'none') return null
  if (kind === 'bytes') return Bytes.fromLatin1(parts.join(''))
  return new PartsBody(parts, kind === 'known', kind === 'unknown' && trailers.length > 0 ? Headers.of(trailers) : null)
}

/** Drains the peer, however often it applies backpressure. */
function drainAll(socket: RecordingSocket): void {
  do socket.drain()
  while (socket.writableLength > 0)
}

function pairs(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i] ?? '', list[2 * i + 1] ?? ''])
}

/** The one message that there is. */
function only({ messages, error }: Reading) {
  assert.equal(error, null)
  assert.equal(messages.length, 1)
  const [message] = messages
  assert.ok(message?.complete)
  return message
}

const toBytes = (text: string) => [Buffer.from(text, 'latin1')]

test('llhttp reads every reply as one message with the same content', () => {
  fc.assert(
    fc.property(
      fc.record({
        status: fc.oneof(fc.constantFrom(200, 204, 304), fc.integer({ min: 200, max: 599 })),
        method: fc.constantFrom('GET', 'GET', 'HEAD'),
        version: fc.constantFrom('1.1', '1.1', '1.0'),
        connection: fc.constantFrom('', 'Connection: close\r\n', 'Connection: keep-alive\r\n'),
        headers: fields,
        body,
        takes,
      }),
      (made) => {
        const harness = new ServerHarness(() => new Reply(made.status, Headers.of(made.headers), bodyOf(made.body)))
        const { socket } = harness.open()
        socket.takes = made.takes
        socket.receive(`${made.method} / HTTP/${made.version}\r\nHost: a\r\n${made.connection}\r\n`)
        drainAll(socket)
        const closes = socket.hasEnded || socket.destroyed
        const message = only(readResponses(toBytes(socket.written), made.method, closes))
        const empty = made.method === 'HEAD' || made.status === 204 || made.status === 304 || made.body.kind === 'none'
        assert.equal(message.status, made.status)
        assert.deepEqual(pairs(message.headers).slice(0, made.headers.length), made.headers)
        assert.equal(message.body, empty ? '' : made.body.parts.join(''))
        const trailers = !empty && made.body.kind === 'unknown' && made.version === '1.1' ? made.body.trailers : []
        assert.deepEqual(pairs(message.trailers), trailers)
        if (made.method !== 'HEAD') assert.equal(message.keepAlive, !closes)
        assert.deepEqual(
          harness.over.map(({ bytes, whole }) => [bytes, whole]),
          [[message.body.length, true]],
        )
      },
    ),
    { numRuns: cases(600) },
  )
})

test('llhttp reads consecutive requests as the same messages', () => {
  const request = fc.record({ method: fc.constantFrom('GET', 'POST', 'PUT', 'QUERY'), headers: fields, body, takes })
  fc.assert(
    fc.property(fc.array(request, { minLength: 1, maxLength: 3 }), (requests) => {
      const socket = new RecordingSocket()
      const writer = new MessageWriter({
        socket,
        messageWritten: () => {},
        messageFailed: assert.fail,
        writeBlocked: () => {},
        full: () => {},
      })
      socket.on('drain', () => writer.drained())
      for (const made of requests) {
        const sent = bodyOf(made.body)
        const framing =
          sent === null ? '' : sent.length < 0 ? 'Transfer-Encoding: chunked\r\n' : `Content-Length: ${sent.length}\r\n`
        const head = `${made.method} /a HTTP/1.1\r\nHost: a\r\n${Headers.of(made.headers).toWire()}${framing}\r\n`
        socket.takes = [...made.takes]
        writer.send(head, sent, sent !== null && sent.length < 0)
        drainAll(socket)
      }
      const { messages, error } = readRequests(toBytes(socket.written))
      assert.equal(error, null)
      assert.equal(messages.length, requests.length)
      for (const [i, message] of messages.entries()) {
        const made = requests[i]!
        assert.ok(message.complete && knownMethods.includes(message.method))
        assert.deepEqual(pairs(message.headers).slice(1, made.headers.length + 1), made.headers)
        assert.equal(message.body, made.body.kind === 'none' ? '' : made.body.parts.join(''))
        assert.deepEqual(pairs(message.trailers), made.body.kind === 'unknown' ? made.body.trailers : [])
      }
    }),
    { numRuns: cases(400) },
  )
})
