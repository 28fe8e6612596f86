import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test, { type TestContext } from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { ManualClock } from '../../test/support/manual-clock.ts'
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
    socket.on('data', (octets: Buffer) => lingering.discard(octets.length))
    return lingering
  }
  return { clock, deadlines, socket, peer, close }
}

test('the last reply reaches a client that still sends', async (t) => {
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

test('a client that ends its side ends the waiting', async (t) => {
  const { deadlines, socket, peer, close } = await open(t)
  close()
  await peer.closed()
  const gone = once(socket, 'close')
  peer.end()
  await gone
  assert.equal(deadlines.size, 0)
})

test('a client that sends on and on is cut off', async (t) => {
  const { socket, peer, close } = await open(t)
  close()
  const gone = once(socket, 'close')
  peer.write('x'.repeat(1_500_000))
  await gone
})

test('a client that still reads the reply has longer than one that has it', async (t) => {
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

test('a reply that is never read whole ends with a reset, not as if it were whole', async (t) => {
  const { clock, socket, peer, close } = await open(t)
  peer.socket.pause()
  socket.write(Buffer.alloc(MUCH))
  close()
  clock.advance(60_500)
  assert.ok(socket.destroyed)
  peer.socket.resume()
  assert.equal(await peer.closed(), 'reset')
})
