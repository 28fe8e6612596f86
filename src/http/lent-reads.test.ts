import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { cleanUp } from '../../test/support/cleanup.ts'
import { connect } from '../../test/support/peer.ts'
import { readLent } from './lent-reads.ts'

async function pair(t: TestContext) {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  cleanUp(t, () => server.close())
  await once(server, 'listening')
  const accepting = once(server, 'connection') as Promise<[Socket]>
  const peer = await connect(t, (server.address() as AddressInfo).port)
  const [accepted] = await accepting
  cleanUp(t, () => accepted.destroy())
  return { accepted, peer }
}

test('a connection is read into the given buffer, one read at a time', async (t) => {
  const { accepted, peer } = await pair(t)
  const readBuffer = Buffer.alloc(1024)
  const { promise, resolve } = Promise.withResolvers<readonly [Buffer, number]>()
  readLent(accepted, { readBuffer, read: (bytes, end) => resolve([bytes, end]) })
  assert.ok(!accepted.isPaused())
  peer.socket.write('hello')
  const [bytes, end] = await promise
  assert.ok(bytes === readBuffer)
  assert.equal(readBuffer.toString('latin1', 0, end), 'hello')
})

test('a paused connection is not read until it resumes', async (t) => {
  const { accepted, peer } = await pair(t)
  let got = ''
  let { promise, resolve } = Promise.withResolvers<void>()
  const read = (bytes: Buffer, end: number): void => {
    assert.ok(!accepted.isPaused())
    got += bytes.toString('latin1', 0, end)
    accepted.pause()
    resolve()
  }
  readLent(accepted, { readBuffer: Buffer.alloc(2), read })
  peer.socket.end('hello')
  await promise
  assert.equal(got, 'he')
  for (const expected of ['hell', 'hello']) {
    ;({ promise, resolve } = Promise.withResolvers<void>())
    accepted.resume()
    await promise
    assert.equal(got, expected)
  }
  accepted.resume()
  await once(accepted, 'end')
})

test('without these internals of Node.js a connection is read as a stream', async (t) => {
  const { accepted, peer } = await pair(t)
  const symbol = Object.getOwnPropertySymbols(accepted).find(({ description }) => description === 'kBuffer')!
  Reflect.deleteProperty(accepted, symbol)
  const readBuffer = Buffer.alloc(1024)
  const { promise, resolve } = Promise.withResolvers<readonly [Buffer, number]>()
  readLent(accepted, { readBuffer, read: (bytes, end) => resolve([bytes, end]) })
  peer.socket.write('hello')
  const [bytes, end] = await promise
  assert.ok(bytes !== readBuffer)
  assert.equal(bytes.toString('latin1', 0, end), 'hello')
})
