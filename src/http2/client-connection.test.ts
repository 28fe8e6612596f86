import assert from 'node:assert/strict'
import test from 'node:test'
import { PushedBody } from '../../test/support/bodies.ts'
import { RecordedService } from '../../test/support/http2-client-harness.ts'
import * as h2 from '../../test/support/http2-frames.ts'
import { replyHead, wholeReply } from '../../test/support/http2-service.ts'
import { RecordingSocket } from '../../test/support/recording-socket.ts'
import { GatewayError } from '../core/errors.ts'
import { Bytes } from '../http/body.ts'
import { NotProcessed } from '../http/lane-errors.ts'
import type { OutgoingRequest } from '../http/outgoing-request.ts'

const { Code, Type, data } = h2

const posted = { method: 'POST', body: Bytes.fromText('hello') }

/** Time passes, in steps of a second, in each of which the service shows that it is there. */
function pass(service: RecordedService, seconds: number): void {
  for (let second = 0; second < seconds; second++) {
    service.clock.advance(1000)
    service.receive(h2.ping())
  }
}

test('no request is sent before the SETTINGS of the service', async () => {
  const service = new RecordedService()
  await service.turn()
  assert.deepEqual(
    service.frames.map(({ type }) => type),
    [Type.settings, Type.window],
  )
  assert.equal(service.connection.hasRoom, false)
  service.receive(h2.settings({ 3: 2 }))
  assert.deepEqual(service.events, ['stands'])
  assert.equal(service.connection.hasRoom, true)
  assert.equal(service.connection.most, 2)
})

test('the service is told the window of a stream, although it is the default', async () => {
  const service = new RecordedService()
  await service.turn()
  const [settings] = service.of(Type.settings)
  assert.ok(settings?.payload.includes(Buffer.from([0, 4, ...h2.int32(65_535)])))
})

/** The type, flags and length of each frame of a request. */
async function sentFor(service: RecordedService, request: Partial<OutgoingRequest>) {
  await service.turn()
  const before = service.frames.length
  service.send({ method: 'POST', ...request })
  await service.turn()
  return service.frames
    .slice(before)
    .map(({ type, flags, payload }) => [type, flags, type === Type.data ? payload.length : null])
}

test('the end of a request without content is in its head; that of a gRPC call is a frame of its own', async () => {
  const service = RecordedService.greeted()
  for (const body of [null, Bytes.fromText('')]) {
    assert.deepEqual(await sentFor(service, { body }), [[Type.headers, 0x5, null]])
    assert.deepEqual(await sentFor(service, { body, isCall: true }), [
      [Type.headers, 0x4, null],
      [Type.data, 0x1, 0],
    ])
  }
})

test('a lane knows the network of its client', () => {
  const service = RecordedService.greeted()
  const told = service.send({ client: '2001:db8::1' })
  assert.deepEqual([told.lane.network, told.lane.network], ['2001:db8:0:0::/64', '2001:db8:0:0::/64'])
  service.receive(wholeReply(1, 'x'))
  assert.equal(told.lane.network, null)
})

test('a service that starts with anything else does not speak HTTP/2', () => {
  const service = new RecordedService()
  service.receive(Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'))
  assert.deepEqual(service.events, ['closed'])
  assert.match(service.refusal?.message ?? '', /does not speak HTTP\/2/)
  assert.ok(service.socket.destroyed)
})

test('a service that sends nothing in time, or closes, is rejected', () => {
  const silent = new RecordedService()
  silent.clock.advance(3000)
  assert.match(silent.refusal?.message ?? '', /in time/)
  const ended = new RecordedService()
  ended.socket.emit('end')
  assert.match(ended.refusal?.message ?? '', /does not speak HTTP\/2/)
})

test('a reply whose content arrives with its head is complete, and releases its lane', () => {
  const service = RecordedService.greeted()
  const result = service.send()
  service.receive(replyHead(1, 200, [['x-a', 'b']]), data(1, 'hel'), data(1, 'lo', true))
  assert.ok(result.reply?.body instanceof Bytes)
  assert.equal(result.text, 'hello')
  assert.equal(result.reply.headers.get('x-a'), 'b')
  assert.ok(result.reply.headers.get('date') !== undefined)
  assert.deepEqual(result.calls, ['replied', 'finished'])
  assert.equal(service.connection.busy, 0)
})

test('replies whose content arrives in the same read are complete', () => {
  const service = RecordedService.greeted()
  const reported = [service.send(), service.send(), service.send()]
  const ids = reported.map(({ lane }) => lane.id)
  const contents = ids.map((id) => data(id, `of ${id}`, true)).toReversed()
  service.receive(...ids.map((id) => replyHead(id, 200)), ...contents)
  for (const [i, { reply, text, calls }] of reported.entries()) {
    assert.ok(reply?.body instanceof Bytes)
    assert.equal(text, `of ${ids[i]}`)
    assert.deepEqual(calls, ['replied', 'finished'])
  }
})

test('later content is streamed as it arrives, with what follows it', () => {
  const service = RecordedService.greeted()
  const result = service.send()
  service.receive(replyHead(1, 200), data(1, 'one '))
  const sink = result.pipe()
  assert.equal(sink.text, 'one ')
  service.receive(data(1, 'two'))
  service.receive(h2.headers(1, [['x-sum', '7']], true))
  assert.deepEqual([sink.text, sink.ended, sink.trailers?.get('x-sum')], ['one two', true, '7'])
  assert.deepEqual(result.calls, ['replied', 'finished'])
})

test('a stalled consumer only holds the window of its own stream', async () => {
  const service = RecordedService.greeted()
  const [slow, fast] = [service.send(), service.send()]
  service.receive(replyHead(1, 200), replyHead(3, 200))
  slow.pipe().taking = false
  fast.pipe()
  for (let n = 0; n < 3; n++) service.receive(data(1, 'x'.repeat(16_000)))
  for (let n = 0; n < 300; n++) service.receive(data(3, 'y'.repeat(16_000)))
  await service.turn()
  assert.equal(service.granted(1), 0)
  assert.ok(service.granted(3) > 300 * 16_000 - 65_535)
  assert.ok(service.granted(0) > 300 * 16_000 - 65_535, 'what one stream buffers does not count for all')
  assert.equal(fast.pipe().text.length, 300 * 16_000)
  service.receive(data(1, 'x'.repeat(16_000)))
  assert.equal(slow.broken, null)
  service.receive(data(1, 'x'.repeat(16_000)))
  await service.turn()
  assert.equal(service.resetOf(1), Code.flow, 'beyond the window')
})

test('available bytes are sent with the head and their length', async () => {
  const service = RecordedService.greeted()
  service.send(posted)
  await service.turn()
  const [head, content] = service.frames.slice(-2)
  assert.deepEqual([head?.type, head?.flags], [Type.headers, h2.END_HEADERS])
  assert.deepEqual([content?.type, content?.flags, content?.payload.toString()], [Type.data, h2.END_STREAM, 'hello'])
})

test('a body is only sent within the windows of the service', async () => {
  const service = RecordedService.greeted({ 4: 10 })
  service.send({ method: 'POST', body: Bytes.fromText('x'.repeat(100)) })
  await service.turn()
  assert.equal(service.contentOf(1), 10)
  service.receive(h2.windowUpdate(1, 50))
  await service.turn()
  assert.equal(service.contentOf(1), 60)
  service.receive(h2.settings({ 4: 0 }), h2.windowUpdate(1, 10))
  await service.turn()
  assert.equal(service.contentOf(1), 60, 'smaller by ten, then ten more')
  service.receive(h2.settings({ 4: 100 }))
  await service.turn()
  assert.equal(service.contentOf(1), 100)
  assert.ok(service.endedOf(1))
})

test('a stream is paused by the windows of the service, and ended by its trailers', async () => {
  const service = RecordedService.greeted({ 4: 10 })
  const body = new PushedBody(-1)
  service.send({ method: 'POST', body })
  assert.equal(body.push('x'.repeat(8)), true)
  assert.equal(body.push('y'.repeat(8)), false)
  assert.equal(body.resumed, 0)
  service.receive(h2.windowUpdate(1, 100))
  assert.equal(body.resumed, 1)
  body.push('z')
  body.end()
  await service.turn()
  assert.equal(service.contentOf(1), 17)
  assert.ok(service.endedOf(1))
})

test('a request with a failing body is reset, never ended', async () => {
  const service = RecordedService.greeted()
  const body = new PushedBody(-1)
  const result = service.send({ method: 'POST', body })
  body.push('half')
  body.sink?.fail(new GatewayError('client-closed'))
  await service.turn()
  assert.equal(service.resetOf(1), Code.cancel)
  assert.equal(service.endedOf(1), false)
  assert.equal(result.error?.code, 'client-closed')
})

test('a body waits for 100 Continue for a second at most', async () => {
  for (const wait of [false, true]) {
    const service = RecordedService.greeted()
    const body = new PushedBody(4)
    service.send({ method: 'POST', body, expectsContinue: true })
    assert.equal(body.sink, null)
    if (wait) service.clock.advance(1500)
    else service.receive(replyHead(1, 100))
    assert.notEqual(body.sink, null)
    body.push('body')
    body.end()
    await service.turn()
    assert.ok(service.endedOf(1))
  }
})

test('a final reply instead of 100 Continue cancels the body', async () => {
  const service = RecordedService.greeted()
  const body = new PushedBody(4)
  const result = service.send({ method: 'POST', body, expectsContinue: true })
  service.receive(wholeReply(1, 'no', 417))
  assert.equal(result.reply?.status, 417)
  assert.ok(body.cancelled)
  await service.turn()
  assert.equal(service.resetOf(1), Code.cancel)
})

test('timeouts apply from the end of the request to the reply head, and between pieces of the reply', async () => {
  const service = RecordedService.greeted()
  const [none, half] = [service.send(), service.send()]
  service.receive(replyHead(3, 200), data(3, 'x'))
  half.pipe()
  pass(service, 29)
  assert.deepEqual(none.calls, [])
  pass(service, 2)
  assert.equal(none.error?.code, 'gateway-timeout')
  await service.turn()
  assert.equal(service.resetOf(1), Code.cancel)
  service.receive(data(3, 'y'))
  pass(service, 59)
  assert.deepEqual(half.calls, ['replied'])
  pass(service, 2)
  assert.equal(half.broken?.code, 'gateway-timeout')
})

test('no timeout runs while the client is slow to send or to read', () => {
  const service = RecordedService.greeted({}, { idleTimeout: 10_000 })
  const body = new PushedBody(-1)
  const slow = service.send({ method: 'POST', body })
  const taking = service.send()
  service.receive(replyHead(3, 200))
  const sink = taking.pipe()
  sink.taking = false
  service.receive(data(3, 'x'))
  pass(service, 100)
  assert.equal(slow.error, null)
  assert.equal(taking.broken, null)
  assert.ok(slow.lane.waitingForClient < service.deadlines.now)
  assert.ok(taking.lane.waitingForClient < service.deadlines.now)
})

test('a cancelled stream is reported once, and reset at once', async () => {
  const service = RecordedService.greeted()
  const [early, late] = [service.send(), service.send()]
  early.lane.cancel()
  service.receive(replyHead(3, 200), data(3, 'x'))
  late.pipe()
  late.lane.cancel()
  await service.turn()
  assert.deepEqual([service.resetOf(1), service.resetOf(3)], [Code.cancel, Code.cancel])
  assert.deepEqual(early.calls, ['finished', 'failed'])
  assert.deepEqual(late.calls, ['replied', 'finished'])
  assert.equal(service.connection.busy, 0)
  assert.equal(service.goaway, undefined)
})

test('cancelling the body of a reply resets its stream', async () => {
  const service = RecordedService.greeted()
  const result = service.send()
  service.receive(replyHead(1, 200), data(1, 'x'))
  const body = result.reply?.body
  assert.ok(body !== null && body !== undefined && !(body instanceof Bytes))
  body.cancel()
  await service.turn()
  assert.equal(service.resetOf(1), Code.cancel)
  assert.deepEqual(result.calls, ['replied', 'finished'])
})

test('GOAWAY rejects streams above its last one, and lets the others finish', () => {
  const service = RecordedService.greeted()
  const [stored, lost] = [service.send(), service.send(posted)]
  service.receive(h2.frame(Type.goaway, 0, 0, Buffer.concat([h2.int32(1), h2.int32(0)])))
  assert.ok(lost.error instanceof NotProcessed)
  assert.equal(service.connection.hasRoom, false)
  service.receive(wholeReply(1, 'still'))
  assert.equal(stored.text, 'still')
  assert.equal(service.goaway, Code.none)
  assert.ok(service.socket.destroyed)
})

test('a lane acquired before GOAWAY fails as not processed', () => {
  const service = RecordedService.greeted()
  const lane = service.connection.lane()
  service.receive(h2.frame(Type.goaway, 0, 0, Buffer.concat([h2.int32(2 ** 31 - 1), h2.int32(0)])))
  assert.equal(service.socket.destroyed, false)
  const body = new PushedBody(-1)
  let error: GatewayError | null = null
  lane.exchange(
    {
      client: 'a',
      method: 'POST',
      authority: 'a',
      target: '/',
      fields: '',
      body,
      acceptsTrailers: false,
      isCall: false,
      expectsContinue: false,
      upgrade: null,
    },
    { interimReply() {}, replied() {}, brokeOff() {}, finished() {}, failed: (failure) => void (error = failure) },
  )
  assert.ok((error as unknown) instanceof NotProcessed)
  assert.equal(body.sink, null)
  assert.ok(service.socket.destroyed)
})

test('a lost connection fails its exchanges, as stale if it was idle before', () => {
  const fresh = RecordedService.greeted()
  const first = fresh.send()
  fresh.socket.emit('end')
  assert.equal(first.error?.code, 'bad-gateway')
  assert.equal(
    'stale' in (first.error ?? {}) && first.error?.message,
    'The service closed the connection without a reply.',
  )
  const rested = RecordedService.greeted()
  const before = rested.send()
  rested.receive(wholeReply(1, 'x'))
  assert.equal(before.text, 'x')
  const next = rested.send()
  rested.socket.emit('end')
  assert.ok(next.error !== null && 'stale' in next.error && next.error.stale === true)
})

test('long-lived exchanges are counted separately, and rejected above their limit', async () => {
  const events: h2.Fields = [['content-type', 'text/event-stream']]
  const service = RecordedService.greeted()
  const result = service.send()
  service.receive(replyHead(1, 200, events))
  assert.ok(result.lasting)
  assert.equal(service.connection.lasting, 1)
  service.mayLast = false
  const refused = service.send()
  service.receive(replyHead(3, 200, events))
  assert.equal(refused.error?.code, 'too-busy')
  await service.turn()
  assert.equal(service.resetOf(3), Code.cancel)
  result.lane.cancel()
  assert.equal(service.connection.lasting, 0)
})

test('a connection is closed after its idle timeout or lifetime', () => {
  const idle = RecordedService.greeted()
  idle.clock.advance(39_000)
  assert.equal(idle.socket.destroyed, false)
  idle.clock.advance(2000)
  assert.ok(idle.socket.destroyed)
  const old = RecordedService.greeted({}, { lifetime: () => 10_000 })
  const result = old.send()
  pass(old, 11)
  assert.equal(old.connection.hasRoom, false)
  old.receive(wholeReply(1, 'x'))
  assert.equal(result.text, 'x')
  assert.ok(old.socket.destroyed)
})

test('a reply that begins instead of 100 Continue and then stops breaks off, and the body is not asked for', () => {
  const service = RecordedService.greeted()
  const body = new PushedBody(2, 'ab')
  const result = service.send({ method: 'POST', body, expectsContinue: true })
  service.receive(replyHead(1, 200))
  pass(service, 62)
  assert.ok(body.sink === null)
  assert.equal(result.broken?.code, 'gateway-timeout')
})

test('a WebSocket uses extended CONNECT if the service supports it, and is rejected otherwise', async () => {
  const wanted = { upgrade: { protocol: 'websocket', key: 'dGhlIHNhbXBsZSBub25jZQ==' } }
  const without = RecordedService.greeted()
  assert.equal(without.send(wanted).error?.code, 'not-implemented')
  assert.equal(without.connection.busy, 0)
  const service = RecordedService.greeted({ 8: 1 })
  const result = service.send({ ...wanted, fields: 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-A: b\r\n' })
  service.receive(replyHead(1, 200))
  assert.equal(result.reply?.status, 101)
  assert.equal(result.reply.headers.get('Sec-WebSocket-Accept'), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  assert.ok(result.lasting)
  result.reply.upgrade?.refuse()
  await service.turn()
  assert.equal(service.resetOf(1), Code.cancel)
})

test('a service is asked for a sign of life five seconds after a message has progressed, however quiet it was before', () => {
  const service = RecordedService.greeted()
  const pings = () => service.of(Type.ping)
  service.send({ timeouts: { responseTimeout: 600_000, idleTimeout: 600_000 } })
  for (const [n, quiet] of [6, 31, 121].entries()) {
    service.clock.advance(quiet * 1000)
    assert.equal(pings().length, n + 1)
    service.receive(h2.ping('any text', h2.ACK))
  }
  service.clock.advance(6000)
  assert.equal(pings().length, 3)
  service.receive(replyHead(1, 200))
  service.clock.advance(6000)
  assert.equal(pings().length, 4)
  service.receive(h2.ping('any text', h2.ACK), data(1, 'x'))
  service.clock.advance(6000)
  assert.equal(pings().length, 5)
  service.send({ timeouts: { responseTimeout: 600_000, idleTimeout: 600_000 } })
  service.receive(h2.ping('any text', h2.ACK), h2.headers(1, [['x-sum', '7']], true))
  service.clock.advance(6000)
  assert.equal(pings().length, 6)
  assert.equal(service.socket.destroyed, false)
})

test('a WebSocket whose client is gone is over once the service has taken what was written to it', async () => {
  const upgrade = { protocol: 'websocket', key: 'dGhlIHNhbXBsZSBub25jZQ==' }
  const timeouts = { responseTimeout: 30_000, idleTimeout: Number.POSITIVE_INFINITY }
  for (const size of [0, 10, 100_000]) {
    const service = RecordedService.greeted({ 8: 1 })
    const before = service.deadlines.size
    const result = service.send({ upgrade, timeouts })
    service.receive(replyHead(1, 200))
    const client = new RecordingSocket()
    const tunnel = result.reply?.upgrade?.open(client)
    if (size > 0) tunnel?.fromClient(Buffer.alloc(size))
    client.destroy()
    tunnel?.close()
    service.receive(h2.windowUpdate(0, 100_000), h2.windowUpdate(1, 100_000))
    await service.turn()
    assert.equal(service.contentOf(1), size)
    assert.equal(service.deadlines.size, before, `nothing of it is watched any more, after ${size} bytes`)
    assert.equal(service.connection.busy, 0)
  }
})

test('after its lifetime a connection takes no new exchanges, even if a long one continues', async () => {
  const service = RecordedService.greeted({}, { lifetime: () => 10_000 })
  const result = service.send()
  service.receive(replyHead(1, 200, [['content-type', 'text/event-stream']]), data(1, 'one '))
  const sink = result.pipe()
  pass(service, 12)
  assert.deepEqual(service.events, ['stands', 'closed'])
  assert.equal(service.socket.destroyed, false)
  service.receive(data(1, 'two', true))
  assert.equal(sink.text, 'one two')
  await service.turn()
  assert.equal(service.goaway, Code.none)
})

test('a request without an authority has no :authority', async () => {
  const service = RecordedService.greeted()
  service.send({ authority: '' })
  await service.turn()
  const [head] = service.of(Type.headers, 1)
  assert.deepEqual([...(head?.payload ?? [])], [0x82, 0x86, 0x84])
})
