import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { RecordingSocket } from '../../test/support/recording-socket.ts'
import { Deadlines } from './deadlines.ts'
import { TunnelRelay } from './tunnel.ts'

function open(protocol = 'WebSocket', idleTimeout = 1000) {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const client = new RecordingSocket()
  const service = new RecordingSocket()
  const tunnel = new TunnelRelay({ client, service, protocol, deadlines, idleTimeout })
  return { clock, deadlines, client, service, tunnel }
}

test('bytes are forwarded in both directions as they arrive', () => {
  const { client, service, tunnel } = open()
  tunnel.fromClient(Buffer.from('ab\0\xff', 'latin1'))
  tunnel.fromService(Buffer.from('cde'))
  assert.equal(service.flush(), 'ab\0\xff')
  assert.equal(client.flush(), 'cde')
  assert.equal(tunnel.bytes, 3)
})

test('a side that does not take more pauses the other', () => {
  const { client, service, tunnel } = open()
  client.taking = service.taking = false
  tunnel.fromService(Buffer.from('a'))
  assert.deepEqual([client.reading, service.reading], [true, false])
  tunnel.fromClient(Buffer.from('a'))
  assert.deepEqual([client.reading, service.reading], [false, false])
  tunnel.clientDrained()
  assert.deepEqual([client.reading, service.reading], [false, true])
  tunnel.serviceDrained()
  assert.deepEqual([client.reading, service.reading], [true, true])
})

test('a half-close is passed on while the other direction continues', () => {
  const { client, service, tunnel } = open()
  tunnel.clientEnded()
  assert.deepEqual([client.hasEnded, service.hasEnded], [false, true])
  tunnel.fromService(Buffer.from('a'))
  assert.equal(client.flush(), 'a')
  tunnel.serviceEnded()
  assert.ok(client.hasEnded)
})

test('when one side is gone, its last data still reaches the other within the timeout', () => {
  const { clock, deadlines, client, service, tunnel } = open()
  client.taking = false
  tunnel.fromService(Buffer.from('last words'))
  tunnel.serviceEnded()
  service.destroy()
  tunnel.close()
  assert.equal(client.destroyed, false)
  assert.equal(deadlines.size, 1)
  clock.advance(1300)
  assert.ok(client.destroyed)
  assert.equal(deadlines.size, 0)
})

test('data already written to one side still reaches it when the other is gone', () => {
  const { deadlines, client, service, tunnel } = open()
  client.taking = false
  tunnel.fromService(Buffer.from('last words'))
  service.destroy()
  tunnel.close()
  assert.ok(client.hasEnded && !client.destroyed)
  client.drain()
  assert.equal(client.flush(), 'last words')
  assert.ok(client.destroyed)
  tunnel.close()
  assert.equal(deadlines.size, 0)
})

test('a side that does not take the last data is closed after the timeout', () => {
  const { clock, client, service, tunnel } = open()
  client.taking = false
  tunnel.fromService(Buffer.from('last words'))
  service.destroy()
  tunnel.close()
  clock.advance(1300)
  assert.ok(client.destroyed)
})

test('without an idle timeout, a side that takes nothing more is closed too once the other has ended, or is gone', () => {
  for (const isGone of [true, false]) {
    const { clock, deadlines, client, service, tunnel } = open('WebSocket', Number.POSITIVE_INFINITY)
    clock.advance(3_600_000)
    service.taking = false
    tunnel.fromClient(Buffer.from('last words'))
    if (isGone) {
      client.destroy()
      tunnel.close()
    } else tunnel.clientEnded()
    clock.advance(50_000)
    assert.equal(service.destroyed, false)
    clock.advance(20_000)
    assert.ok(client.destroyed && service.destroyed)
    assert.equal(deadlines.size, 0)
  }
})

test('an idle tunnel is closed', () => {
  const { clock, deadlines, client, service, tunnel } = open()
  for (let i = 0; i < 3; i++) {
    clock.advance(999)
    if (i % 2 === 0) tunnel.fromClient(Buffer.from('a'))
    else tunnel.fromService(Buffer.from('a'))
  }
  clock.advance(999)
  assert.equal(client.destroyed, false)
  clock.advance(300)
  assert.equal(tunnel.error?.code, 'gateway-timeout')
  // The client has a moment to answer the Close frame.
  clock.advance(1_100)
  assert.ok(client.destroyed && service.destroyed)
  assert.equal(deadlines.size, 0)
})

test('a tunnel is not idle while its client takes what was written to it', () => {
  const { clock, client, tunnel } = open()
  client.taking = false
  tunnel.fromService(Buffer.from('a'))
  clock.advance(5_000)
  assert.equal(client.destroyed, false)
  client.drain()
  tunnel.clientDrained()
  clock.advance(900)
  assert.equal(client.destroyed, false)
  clock.advance(1_500)
  assert.equal(tunnel.error?.code, 'gateway-timeout')
})

const HI = '\x81\x02hi'
const CLOSE_1001 = '\x88\x02\x03\xe9'

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

test('leave sends a Close frame to the client, whose answer reaches the service', () => {
  const { client, service, tunnel } = open()
  tunnel.fromService(latin1(HI))
  tunnel.leave(1001)
  assert.equal(client.flush(), HI + CLOSE_1001)
  tunnel.fromService(latin1(HI))
  tunnel.fromClient(latin1('\x88\x82mask\x03\xe9'))
  tunnel.leave(1001)
  assert.equal(client.flush(), '')
  assert.equal(service.flush(), '\x88\x82mask\x03\xe9')
  assert.equal(tunnel.bytes, HI.length)
  assert.ok(!client.destroyed && !service.destroyed)
})

test('the Close frame waits for the end of the current frame only', () => {
  const { client, tunnel } = open()
  tunnel.fromService(latin1(HI + HI.slice(0, 3)))
  tunnel.leave(1001)
  assert.equal(client.flush(), HI + HI.slice(0, 3))
  tunnel.fromService(latin1(HI.slice(3) + HI))
  assert.equal(client.flush(), HI.slice(3) + CLOSE_1001)
})

test('if the service has already sent Close, no other is sent', () => {
  const [before, during] = [open(), open()]
  before.tunnel.fromService(latin1('\x88\x02\x0f\xa1'))
  before.tunnel.leave(1001)
  assert.equal(before.client.flush(), '\x88\x02\x0f\xa1')
  during.tunnel.fromService(latin1('\x88\x02'))
  during.tunnel.leave(1001)
  during.tunnel.fromService(latin1('\x0f\xa1'))
  assert.equal(during.client.flush(), '\x88\x02\x0f\xa1')
})

test('after leave, a side that does not close is closed after a second', () => {
  const { clock, client, service, tunnel } = open()
  tunnel.leave(1001)
  clock.advance(900)
  tunnel.fromClient(latin1(HI))
  tunnel.fromService(latin1(HI))
  assert.equal(client.destroyed, false)
  clock.advance(400)
  assert.ok(client.destroyed && service.destroyed)
})

test('leave closes a tunnel of another protocol at once', () => {
  const { client, service, tunnel } = open('other')
  tunnel.fromService(latin1(HI))
  tunnel.leave(1001)
  assert.equal(client.flush(), HI)
  assert.ok(client.destroyed && service.destroyed)
})

test('an idle tunnel ends even if the service has sent Close', () => {
  const { clock, deadlines, client, service, tunnel } = open()
  tunnel.fromService(latin1('\x88\x02\x0f\xa1'))
  clock.advance(1_300)
  assert.equal(tunnel.error?.code, 'gateway-timeout')
  clock.advance(1_300)
  assert.ok(client.destroyed && service.destroyed)
  assert.equal(deadlines.size, 0)
})

test('after leave, a client that keeps sending after Close of the service is closed', () => {
  const { clock, client, service, tunnel } = open()
  tunnel.fromService(latin1('\x88\x02\x0f\xa1'))
  tunnel.leave(1001)
  for (let i = 0; i < 3; i++) {
    clock.advance(600)
    tunnel.fromClient(latin1('\x81\x82maskhi'))
  }
  assert.ok(client.destroyed && service.destroyed)
})
