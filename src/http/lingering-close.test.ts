import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test, { type TestContext } from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { connect } from '../../test/support/peer.ts'
import { Deadlines } from './deadlines.ts'
import { LingeringClose } from './lingering-close.ts'

/** More than the kernel takes for a peer that does not read. */
const MUCH = 64 * 1024 * 1024

async function open(t: TestContext) {
  const clock = new ManualClock()
  const deadlines = new Deadlines(clock)
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => server.close())
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const peer = await connect(t, (server.address() as AddressInfo).port)
  const [socket] = await accepted
  cleanUp(t, () => socket.destroy())
  socket.on('error', () => {})
  /** Begins the end, as a connection does that still reads. */
  const close = (): LingeringClose => {
    const lingering = new LingeringClose(socket, deadlines, 60_000)
    socket.on('data', () => lingering.discard())
    return lingering
  }
  return { clock, deadlines, socket, peer, close }
}

test('a client that is still sending can read the last reply', async (t) => {
  const { clock, socket, peer, close } = await open(t)
  const reset = t.mock.method(socket, 'resetAndDestroy')
  socket.write('last words')
  close()
  peer.write('x'.repeat(100_000))
  while (socket.bytesRead < 100_000) await once(socket, 'data')
  assert.equal(String(await peer.take(10)), 'last words')
  assert.equal(await peer.closed(), 'end')
  clock.advance(2500)
  assert.ok(socket.destroyed)
  assert.equal(reset.mock.callCount(), 0)
})

test('when the client half-closes, the connection closes at once', async (t) => {
  const { deadlines, socket, peer, close } = await open(t)
  close()
  await peer.closed()
  const closed = once(socket, 'close')
  peer.end()
  await closed
  assert.equal(deadlines.size, 0)
})

test('a client that keeps sending is read for half a minute at most', async (t) => {
  const { clock, socket, peer, close } = await open(t)
  socket.write('last words')
  const flushed = once(socket, 'finish')
  close()
  await flushed
  const sent = Buffer.alloc(4_000_000)
  for (let second = 1; second <= 30; second++) {
    peer.write(sent)
    while (socket.bytesRead < second * sent.length) await once(socket, 'data')
    assert.equal(socket.destroyed, false)
    clock.advance(1_000)
  }
  clock.advance(300)
  assert.ok(socket.destroyed)
})

test('a client that has stopped sending gets no more time than one that never sent', async (t) => {
  const { clock, socket, peer, close } = await open(t)
  const flushed = once(socket, 'finish')
  close()
  await flushed
  clock.advance(1_900)
  peer.write('x')
  await once(socket, 'data')
  clock.advance(1_900)
  assert.equal(socket.destroyed, false)
  clock.advance(400)
  assert.ok(socket.destroyed)
})

test('a client that is still reading the reply gets more time than one that has read it', async (t) => {
  const { clock, socket, peer, close } = await open(t)
  peer.socket.pause()
  socket.write(Buffer.alloc(MUCH))
  const flushed = once(socket, 'finish')
  close()
  clock.advance(59_000)
  assert.equal(socket.destroyed, false)
  peer.socket.resume()
  await flushed
  assert.equal(socket.destroyed, false)
  assert.equal((await peer.rest()).length, MUCH)
  clock.advance(2500)
  assert.ok(socket.destroyed)
})

test('a reply that is never read completely ends with a reset', async (t) => {
  const { clock, socket, peer, close } = await open(t)
  peer.socket.pause()
  socket.write(Buffer.alloc(MUCH))
  close()
  clock.advance(60_500)
  assert.ok(socket.destroyed)
  peer.socket.resume()
  assert.equal(await peer.closed(), 'reset')
})
