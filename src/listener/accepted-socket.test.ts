import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { connect } from '../../test/support/peer.ts'
import { takeHandle } from '../core/node-internals.ts'
import { readLent } from './accepted-socket.ts'

async function pair(t: TestContext) {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  cleanUp(t, () => server.close())
  await once(server, 'listening')
  const accepting = once(server, 'connection') as Promise<[Socket]>
  const peer = await connect(t, (server.address() as AddressInfo).port)
  const [accepted] = await accepting
  return { accepted, peer }
}

test('an accepted connection is read into the buffer that is named', async (t) => {
  const { accepted, peer } = await pair(t)
  const readBuffer = Buffer.alloc(1024)
  const { promise, resolve } = Promise.withResolvers<readonly [Buffer, number]>()
  const socket = readLent(accepted, () => ({ readBuffer, read: (octets, end) => resolve([octets, end]) }))
  cleanUp(t, () => socket.destroy())
  assert.notEqual(socket, accepted, 'the handle was given away')
  peer.socket.write('hello')
  const [octets, end] = await promise
  assert.equal(octets, readBuffer)
  assert.equal(readBuffer.toString('latin1', 0, end), 'hello')
})

test('one whose handle is not to be had is read as a stream', async (t) => {
  const { accepted } = await pair(t)
  const handle = takeHandle(accepted)
  assert.ok(handle !== null)
  const got: string[] = []
  const readBuffer = Buffer.alloc(1024)
  const read = (octets: Buffer, end: number): void => void got.push(octets.toString('latin1', 0, end))
  assert.equal(
    readLent(accepted, () => ({ readBuffer, read })),
    accepted,
  )
  accepted.emit('data', Buffer.from('hello'))
  assert.deepEqual(got, ['hello'])
  Reflect.set(accepted, '_handle', handle)
  accepted.destroy()
})
