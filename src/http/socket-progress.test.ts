import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { connect } from '../../test/support/peer.ts'
import { turnUntil } from '../../test/support/settled.ts'
import { bytesTaken } from './socket-progress.ts'

test('progress of one large write is visible during the write', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  cleanUp(t, () => server.close())
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const peer = await connect(t, (server.address() as AddressInfo).port)
  const [socket] = await accepted
  cleanUp(t, () => socket.destroy())
  socket.on('error', () => {})
  peer.socket.pause()
  socket.write(Buffer.alloc(64 * 1024 * 1024))
  const before = bytesTaken(socket)
  peer.socket.resume()
  await turnUntil('some progress', () => bytesTaken(socket) > before)
  assert.ok(socket.writableLength > 0, 'the write has not completed')
})
