import assert from 'node:assert/strict'
import test from 'node:test'
import { Bytes } from '../../src/http/body.ts'
import { Headers } from '../../src/http/headers.ts'
import { Reply } from '../../src/http/reply.ts'
import type { ServerExchange } from '../../src/http/server-exchange.ts'
import * as h2 from '../support/http2-frames.ts'
import { BOMB, type Flood, floods, id } from '../support/http2-floods.ts'
import { Http2Harness, type RecordedHttp2 } from '../support/http2-harness.ts'

const { Code, Type, frame, headers, get, post, data, ping } = h2

const hello = () => new Reply(200, Headers.of(), Bytes.fromText('hello'))

/** "/" is answered immediately, everything else never. */
function answer({ path }: ServerExchange): Reply | Promise<Reply> {
  return path === '/' ? hello() : new Promise<Reply>(() => {})
}

/** Sends the flood until the connection ends; returns how many rounds that took. */
async function drown(recorded: RecordedHttp2, { begin, round }: Flood, most: number): Promise<number> {
  if (begin !== undefined) recorded.receive(begin)
  for (let n = 0; n < most; n++) {
    if (recorded.socket.hasEnded || recorded.socket.destroyed) return n
    recorded.receive(round(n))
    if (n % 50 === 0) await recorded.turn()
  }
  return most
}

for (const [name, flood] of Object.entries(floods))
  test(`a flood of ${name} ends the connection, and no other`, async () => {
    const harness = new Http2Harness(answer)
    const attacker = await harness.begin()
    const other = await harness.begin()
    const rounds = await drown(attacker, flood, 3000)
    assert.ok(rounds < 3000, 'it never ends')
    await attacker.turn()
    assert.equal(attacker.goaway, Code.calm)
    // Nothing is pending, and every request was notified once.
    assert.equal(harness.over.length, harness.exchanges.length)
    assert.equal(new Set(harness.over.map(({ exchange }) => exchange)).size, harness.over.length)
    assert.equal(attacker.connection.inFlight, 0)
    other.receive(get(1))
    await other.turn()
    assert.equal(other.contentOf(1), 5)
    assert.equal(other.goaway, undefined)
  })

for (const [name, flood] of Object.entries(floods))
  test(`a flood of ${name} ends even if the client never reads`, async () => {
    const harness = new Http2Harness(answer)
    const attacker = await harness.begin()
    attacker.socket.taking = false
    await drown(attacker, flood, 3000)
    await attacker.turn()
    assert.ok(attacker.socket.writableLength < 400_000, `${attacker.socket.writableLength} bytes wait for it`)
    // The time for a client to read, and for one that was told to disconnect.
    for (let i = 0; i < 4; i++) harness.clock.advance(60_000)
    assert.ok(attacker.socket.destroyed, 'it is never closed')
    await attacker.turn()
    assert.equal(harness.closedConnections, 1)
    assert.equal(harness.over.length, harness.exchanges.length)
    assert.equal(harness.deadlines.size, 0)
  })

test('a client that disconnects at the limit of tolerated frames ends all of its uploads', async () => {
  const harness = new Http2Harness(answer)
  const client = await harness.begin()
  for (let n = 0; n < 100; n++) client.receive(post(id(n), '/held'))
  for (let n = 0; n < 980; n++) client.receive(ping())
  client.socket.emit('end')
  await client.turn()
  assert.equal(harness.over.length, 100)
  assert.ok(harness.over.every(({ whole }) => !whole))
  assert.equal(client.connection.inFlight, 0)
})

test('HPACK bombs and oversized heads are rejected without being stored', async () => {
  const harness = new Http2Harness(answer)
  const client = await harness.begin()
  client.receive(headers(1, BOMB, true))
  await client.turn()
  const [first] = client.of(Type.headers, 1)
  assert.ok(first !== undefined)
  assert.equal(harness.exchanges.length, 0)
  assert.match(String(harness.refused[0]?.error), /more than 100 header fields/)
})

test('a field section may not exceed its limit, even one that is discarded', async () => {
  const harness = new Http2Harness(answer, { head: 1_000_000, headers: 100 })
  const client = await harness.begin()
  client.receive(frame(Type.headers, 1, 1, Buffer.alloc(16_384)))
  for (let n = 0; n < 8; n++) client.receive(frame(Type.continuation, 0, 1, Buffer.alloc(16_384)))
  await client.turn()
  assert.equal(client.goaway, undefined)
  client.receive(frame(Type.continuation, 0, 1, ''))
  await client.turn()
  assert.equal(client.goaway, Code.calm)
})

// Not a flood.

test('window updates for every 4 KiB are not a flood', async () => {
  const harness = new Http2Harness(() => new Reply(200, Headers.of(), Bytes.fromBuffer(Buffer.alloc(20_000_000))))
  const client = await harness.begin({ 4: 2 ** 24 })
  client.receive(h2.windowUpdate(0, 2 ** 24), get(1))
  let reported = 0
  while (reported < 19_000_000 && client.goaway === undefined) {
    await client.turn()
    client.socket.drain()
    const end = Math.min(client.contentOf(1), reported + 2 ** 20)
    for (; reported + 4096 <= end; reported += 4096) client.receive(h2.windowUpdate(0, 4096), h2.windowUpdate(1, 4096))
  }
  assert.equal(client.goaway, undefined)
  assert.equal(client.contentOf(1), 20_000_000)
  assert.equal(harness.over[0]?.whole, true)
})

test('thousands of requests, cancellations and PINGs of a normal client are not a flood', async () => {
  const harness = new Http2Harness(answer)
  const client = await harness.begin()
  for (let n = 0; n < 10_000; n++) {
    client.receive(get(id(n), n % 10 === 0 ? '/held' : '/'))
    if (n % 10 === 0) client.receive(h2.reset(id(n)))
    if (n % 3 === 0) client.receive(ping())
    if (n % 100 === 0) {
      await client.turn()
      client.receive(h2.windowUpdate(0, 1000))
    }
  }
  await client.turn()
  assert.equal(client.goaway, undefined)
  assert.equal(harness.over.filter(({ whole }) => whole).length, 9000)
})

test('hundreds of downloads that are given up, with a reset for each frame in transit, are not a flood', async () => {
  const harness = new Http2Harness(() => new Reply(200, Headers.of(), Bytes.fromBuffer(Buffer.alloc(60_000))))
  const client = await harness.begin({ 4: 40_000 })
  for (let first = 0; first < 600; first += 100) {
    const ids = Array.from({ length: 100 }, (_, n) => id(first + n))
    client.receive(h2.windowUpdate(0, 4_000_000), ...ids.map((each) => get(each)))
    await client.turn()
    client.socket.drain()
    for (const each of ids) client.receive(...Array.from({ length: 30 }, () => h2.reset(each, Code.closed)))
    await client.turn()
  }
  assert.equal(client.goaway, undefined)
  assert.ok(client.contentOf(id(599)) > 0)
  assert.equal(client.connection.inFlight, 0)
})

test('content in tiny frames, or on a stream that was reset, is not a flood', async () => {
  const harness = new Http2Harness((exchange) => {
    if (exchange.path === '/') return hello()
    const { body } = exchange
    if (body !== null && !(body instanceof Bytes)) body.pipe({ write: () => true, end: () => {}, fail: () => {} })
    return new Promise<Reply>(() => {})
  })
  const client = await harness.begin()
  client.receive(post(1, '/taken'))
  for (let n = 0; n < 50_000; n++) client.receive(data(1, 'x'))
  client.receive(post(3, '/'))
  await client.turn()
  assert.equal(client.resetOf(3), Code.none)
  for (let n = 0; n < 50_000; n++) client.receive(data(3, 'x'))
  await client.turn()
  assert.equal(client.goaway, undefined)
  assert.equal(client.connection.inFlight, 1)
})
