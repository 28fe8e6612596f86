import assert from 'node:assert/strict'
import test from 'node:test'
import { type Body, type BodySink, Bytes, isStream } from '../../http/body.ts'
import { BodySender } from './stored-body.ts'

const KB = 1_024
const A = '192.0.2.1'
const B = '192.0.2.2'

const bodyOf = (kilobytes: number): Bytes => Bytes.fromBuffer(Buffer.allocUnsafeSlow(kilobytes * KB).fill('a'))

/** A client that takes nothing until `read`, which resolves with the number of bytes that it got. */
function slowClient(body: Body) {
  if (!isStream(body)) assert.fail('the body is sent at once')
  let bytes = 0
  let isSlow = true
  let isEnded = false
  const sink: BodySink = {
    write(chunk) {
      bytes += chunk.length
      return !isSlow
    },
    end: () => (isEnded = true),
    fail: () => assert.fail('the body fails'),
  }
  body.pipe(sink)
  const read = (): number => {
    isSlow = false
    body.resume()
    assert.ok(isEnded)
    return bytes
  }
  return { read, leave: () => body.cancel() }
}

test('a client gets half of the budget for large bodies, and the next ones a share of the rest', () => {
  const sender = new BodySender(800 * KB)
  const bodies = Array.from({ length: 4 }, () => bodyOf(100))
  for (const body of bodies) slowClient(sender.prepare(body, A))
  assert.equal(sender.hasRoomFor(bodyOf(100), A), false)
  assert.equal(sender.hasRoomFor(bodyOf(100), B), true)
})

test('a body is charged once for all clients that receive it, until the last one has it', () => {
  const sender = new BodySender(400 * KB)
  const [shared, other] = [bodyOf(100), bodyOf(100)]
  const clients = [A, B, A, B].map((client) => slowClient(sender.prepare(shared, client)))
  for (const client of [A, B]) assert.equal(sender.hasRoomFor(shared, client), true)
  slowClient(sender.prepare(other, A))
  slowClient(sender.prepare(bodyOf(100), A))
  slowClient(sender.prepare(bodyOf(100), A))
  assert.equal(sender.hasRoomFor(bodyOf(100), A), false)
  for (const { read } of clients.slice(1)) assert.equal(read(), 100 * KB)
  assert.equal(sender.hasRoomFor(bodyOf(100), A), false)
  clients[0]!.leave()
  assert.equal(sender.hasRoomFor(bodyOf(100), A), true)
})

test('the room of a body is given back once only', () => {
  const sender = new BodySender(800 * KB)
  const first = slowClient(sender.prepare(bodyOf(100), A))
  for (let i = 0; i < 3; i++) slowClient(sender.prepare(bodyOf(100), A))
  first.read()
  first.leave()
  first.leave()
  slowClient(sender.prepare(bodyOf(100), A))
  assert.equal(sender.hasRoomFor(bodyOf(100), A), false)
})

test('small bodies need no room', () => {
  const sender = new BodySender(800 * KB)
  for (let i = 0; i < 4; i++) slowClient(sender.prepare(bodyOf(100), A))
  const small = bodyOf(64)
  assert.equal(sender.hasRoomFor(small, A), true)
  assert.equal(sender.hasRoomFor(null, A), true)
  assert.equal(sender.prepare(small, A), small)
})

test('there is room for a body that is larger than the budget', () => {
  const sender = new BodySender(80 * KB)
  assert.equal(sender.hasRoomFor(bodyOf(1_000), A), true)
  assert.equal(slowClient(sender.prepare(bodyOf(1_000), A)).read(), 1_000 * KB)
})
