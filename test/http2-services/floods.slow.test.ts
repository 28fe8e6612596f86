import assert from 'node:assert/strict'
import test from 'node:test'
import * as h2 from '../support/http2-frames.ts'
import { RecordedService } from '../support/http2-client-harness.ts'
import { replyHead, wholeReply } from '../support/http2-service.ts'

const { Code, Type, data, encode, frame } = h2

/** What a service can send repeatedly to no effect, at a cost to the gateway each time. */
const floods: Readonly<Record<string, Buffer>> = {
  PING: h2.ping(),
  'unsolicited PING acknowledgements': h2.ping('are you?', h2.ACK),
  SETTINGS: h2.settings(),
  'acknowledgements of SETTINGS': h2.SETTINGS_ACK,
  'empty DATA': data(1, ''),
  PRIORITY: frame(Type.priority, 0, 1, Buffer.alloc(5)),
  'unknown frames': frame(77, 0, 0, 'x'),
  'WINDOW_UPDATE of one byte': h2.windowUpdate(0, 1),
  'RST_STREAM for closed streams': h2.reset(3),
}

for (const [name, bytes] of Object.entries(floods)) {
  test(`a flood of ${name} ends the connection`, async () => {
    const service = RecordedService.greeted()
    const told = service.send()
    const over = service.send()
    service.receive(wholeReply(3, 'x'), replyHead(1, 200))
    assert.equal(over.text, 'x')
    for (let n = 0; n < 2000 && service.goaway === undefined; n++) service.receive(bytes)
    assert.equal(service.goaway, Code.calm)
    assert.ok(service.socket.destroyed)
    assert.equal(told.broken?.code, 'bad-gateway')
    await service.turn()
    assert.ok(service.socket.flush().length < 40_000, 'and little was sent to it')
  })
}

test('an endless head ends the connection, however small its frames are', () => {
  const service = RecordedService.greeted()
  service.send()
  service.receive(frame(Type.headers, 0, 1, encode([[':status', '200']])))
  for (let n = 0; n < 100 && service.goaway === undefined; n++) service.receive(frame(Type.continuation, 0, 1, ''))
  assert.equal(service.goaway, Code.calm)
})

test('a head above limits.head or limits.headers is 502, even if compressed to a small size', async () => {
  for (const fields of [
    [['x-a', 'b'.repeat(17_000)]] as const,
    Array.from({ length: 101 }, (_, n) => [`x-${n}`, 'b'] as const),
  ]) {
    const service = RecordedService.greeted({}, { head: 16_384, headers: 100 })
    const told = service.send()
    const section = encode([[':status', '200'], ...fields])
    service.receive(h2.inFrames(1, section, 2))
    assert.match(told.error?.message ?? '', /The head of the service's reply is too large/)
    await service.turn()
    assert.equal(service.resetOf(1), Code.protocol)
  }
  const service = RecordedService.greeted()
  const told = service.send()
  // One entry of 4,000 bytes that is referenced repeatedly (an HPACK bomb).
  const entry = Buffer.concat([Buffer.from([0x40]), h2.text('x-a'), h2.text('b'.repeat(4000))])
  const bomb = Buffer.concat([Buffer.from([0x88]), entry, Buffer.alloc(10_000, 0xbe)])
  service.receive(h2.headers(1, bomb, true))
  assert.match(told.error?.message ?? '', /too large/)
})

test('endless interim responses are 502', async () => {
  const service = RecordedService.greeted()
  const told = service.send()
  for (let n = 0; n < 101; n++) service.receive(replyHead(1, 103))
  assert.equal(told.interim.length, 100)
  assert.equal(told.error?.code, 'bad-gateway')
  await service.turn()
  assert.equal(service.resetOf(1), Code.protocol)
})

test('a well-behaved service is never cut off', () => {
  const service = RecordedService.greeted()
  for (let n = 0; n < 3000; n++) {
    const told = service.send({ method: 'POST' })
    const id = told.lane.id
    service.receive(h2.ping(), replyHead(id, 200), data(id, 'hello', true))
    assert.equal(told.text, 'hello')
    if (n % 100 === 0) service.clock.advance(1000)
  }
  assert.equal(service.goaway, undefined)
})

test('frames on streams that the gateway has reset do not count as violations', () => {
  const service = RecordedService.greeted()
  for (let n = 0; n < 1000; n++) {
    const told = service.send()
    told.lane.cancel()
    service.receive(replyHead(told.lane.id, 200), data(told.lane.id, 'x'.repeat(1000), true))
    if (n % 50 === 49) service.clock.advance(1000)
  }
  assert.equal(service.goaway, undefined)
  const late = service.send()
  service.receive(wholeReply(late.lane.id, 'fine'))
  assert.equal(late.text, 'fine')
})
