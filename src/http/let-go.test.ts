import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { test } from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { letGoOnClose } from './let-go.ts'

test('a closed socket refers to nothing that listened to it or read from it, once all of them know', async (t) => {
  const server = createServer((socket) => socket.end('bye')).listen(0, '127.0.0.1')
  cleanUp(t, () => server.close())
  await once(server, 'listening')
  const calls: string[] = []
  const onread = { buffer: () => Buffer.alloc(16), callback: () => calls.push('read') > 0 }
  const socket = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', onread })
  socket.on('close', () => calls.push('first'))
  letGoOnClose(socket)
  socket.once('close', () => calls.push('second'))
  await once(socket, 'close')
  assert.deepEqual(calls, ['read', 'first', 'second'])
  assert.deepEqual(socket.eventNames(), ['error'])
  const held = new Set(Object.getOwnPropertySymbols(socket).map((symbol): unknown => Reflect.get(socket, symbol)))
  assert.ok(!held.has(onread.buffer) && !held.has(onread.callback))
  // An error that is reported late is no uncaught exception.
  socket.emit('error', new Error('late'))
})
