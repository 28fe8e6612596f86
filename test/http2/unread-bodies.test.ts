import assert from 'node:assert/strict'
import test from 'node:test'
import { Bytes, collect } from '../../src/http/body.ts'
import { Headers } from '../../src/http/headers.ts'
import { Reply } from '../../src/http/reply.ts'
import * as h2 from '../support/http2-frames.ts'
import { Http2Harness, RecordedHttp2 } from '../support/http2-harness.ts'

const LENGTH = 16_000
const AT_ONCE = 4
/** More than the room for all bodies together, 128 MiB. */
const REQUESTS = 10_000

test('unread bodies free their window when the reply has been sent', async () => {
  const harness = new Http2Harness(async ({ path, body }) => {
    // The decision waits for another service while the body arrives.
    await new Promise(setImmediate)
    if (path === '/refused') return new Reply(401, Headers.of(), Bytes.fromText('no'))
    const { length } = await collect(body, LENGTH, '192.0.2.1')
    return new Reply(200, Headers.of(), Bytes.fromText(String(length)))
  })
  /** Bytes of the content of each reply. */
  const ask = async (path: string, ends: boolean): Promise<number[]> => {
    const client = new RecordedHttp2(harness)
    const streams = Array.from({ length: AT_ONCE }, (_, i) => 2 * i + 1)
    client.receive(h2.PREFACE, h2.settings({}))
    for (const id of streams) client.receive(h2.headers(id, h2.request('POST', path)))
    for (const id of streams) client.receive(h2.data(id, Buffer.alloc(LENGTH), ends))
    await client.turn()
    await client.turn()
    const lengths = streams.map((id) => client.contentOf(id))
    client.socket.destroy()
    return lengths
  }
  for (let i = 0; i < REQUESTS / AT_ONCE; i++)
    assert.deepEqual(await ask('/refused', i % 2 === 0), Array<number>(AT_ONCE).fill('no'.length))
  assert.deepEqual(await ask('/read', true), Array<number>(AT_ONCE).fill(String(LENGTH).length))
})

test('an upload whose client leaves in the middle of it was closed by the client', async () => {
  const harness = new Http2Harness(() => new Promise(() => {}))
  const client = await harness.begin()
  client.receive(h2.post(1), h2.data(1, 'half of it'))
  client.socket.emit('end')
  await client.turn()
  assert.deepEqual(
    harness.over.map(({ status, whole }) => [status, whole]),
    [[499, false]],
  )
})
