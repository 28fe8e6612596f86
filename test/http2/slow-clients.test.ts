import assert from 'node:assert/strict'
import test from 'node:test'
import { Bytes, type BodySink, type BodyStream } from '../../src/http/body.ts'
import { Headers } from '../../src/http/headers.ts'
import { Reply } from '../../src/http/reply.ts'
import type { ServerExchange } from '../../src/http/server-exchange.ts'
import { PushedBody } from '../support/bodies.ts'
import * as h2 from '../support/http2-frames.ts'
import { Http2Harness, type RecordedHttp2, RecordedHttp2 as Recorded } from '../support/http2-harness.ts'

const { Code, Type, frame, encode, request, get, post, data, ping } = h2

/** As much as is read, endlessly. */
class Endless implements BodyStream {
  readonly length = -1
  /** Bytes that were taken. */
  taken = 0
  cancelled = false
  private sink: BodySink | null = null

  pipe(sink: BodySink): void {
    this.sink = sink
    this.resume()
  }

  resume(): void {
    let more = true
    while (more && !this.cancelled) {
      more = this.sink!.write(Buffer.alloc(65_536))
      this.taken += 65_536
    }
  }

  cancel(): void {
    this.cancelled = true
  }
}

const never = () => new Promise<Reply>(() => {})
const bytes = (length: number) => new Reply(200, Headers.of(), Bytes.fromBuffer(Buffer.alloc(length, 'x')))

/** Answers an upload once it has been read. */
function readWhole({ body }: ServerExchange): Promise<Reply> {
  return new Promise((resolve, reject) => {
    if (body === null || body instanceof Bytes) return resolve(bytes(1))
    body.pipe({ write: () => true, end: () => resolve(bytes(1)), fail: reject })
  })
}

/** Time passes in steps of a second, in each of which the client does something. */
async function pass(
  harness: Http2Harness,
  client: RecordedHttp2,
  seconds: number,
  act: (second: number) => void,
): Promise<void> {
  for (let second = 0; second < seconds && !client.socket.destroyed; second++) {
    act(second)
    harness.clock.advance(1000)
    await client.turn()
  }
}

const over = ({ over: all }: Http2Harness) => all.map(({ status, whole }) => [status, whole])

test('a client that sends nothing is disconnected after headTimeout', async () => {
  const harness = new Http2Harness(never)
  const client = new Recorded(harness)
  await pass(harness, client, 9, () => {})
  assert.equal(client.goaway, undefined)
  await pass(harness, client, 4, () => {})
  assert.notEqual(client.goaway, undefined)
  await pass(harness, client, 60, () => {})
  assert.ok(client.socket.destroyed)
})

test('a preface sent byte by byte is cut off', async () => {
  const harness = new Http2Harness(never)
  const client = new Recorded(harness)
  await pass(harness, client, 20, (second) => client.receive(h2.PREFACE.subarray(second, second + 1)))
  assert.ok(client.socket.hasEnded)
})

test('a head sent slowly is cut off, byte by byte or frame by frame', async () => {
  const section = encode(request('GET', '/'))
  const whole = h2.get(1)
  const drips: ((second: number) => Buffer)[] = [
    (second) => whole.subarray(second, second + 1),
    (second) => (second === 0 ? frame(Type.headers, 1, 1, section) : Buffer.alloc(0)),
    (second) => frame(second === 0 ? Type.headers : Type.continuation, 0, 1, section.subarray(second, second + 1)),
  ]
  for (const drip of drips) {
    const harness = new Http2Harness(never)
    const client = await harness.begin()
    await pass(harness, client, 20, (second) => client.receive(drip(second)))
    assert.equal(client.goaway, Code.calm)
    assert.ok(client.socket.hasEnded)
    assert.equal(harness.exchanges.length, 0)
  }
})

test('an idle connection ends with GOAWAY, and the client has time to read it', async () => {
  const harness = new Http2Harness(() => bytes(5))
  const client = await harness.begin()
  client.receive(get(1))
  await pass(harness, client, 59, () => {})
  assert.equal(client.goaway, undefined)
  await pass(harness, client, 3, () => {})
  assert.equal(client.goaway, Code.none)
  assert.equal(client.of(Type.goaway)[0]?.payload.readUInt32BE(), 1)
  assert.ok(client.socket.hasEnded)
})

test('PING does not keep a connection from being idle', async () => {
  const harness = new Http2Harness(() => bytes(5))
  const client = await harness.begin()
  client.receive(get(1))
  await pass(harness, client, 59, () => client.receive(ping()))
  assert.equal(client.goaway, undefined)
  await pass(harness, client, 3, () => client.receive(ping()))
  assert.equal(client.goaway, Code.none)
})

test('a stalled upload gets 408, and its connection stays open', async () => {
  const harness = new Http2Harness(readWhole)
  const client = await harness.begin()
  client.receive(post(1, '/', [['content-length', '100']]), data(1, 'abc'))
  await pass(harness, client, 29, () => {})
  assert.deepEqual(over(harness), [])
  await pass(harness, client, 3, () => {})
  assert.deepEqual(over(harness), [[408, true]])
  assert.equal(client.resetOf(1), Code.none)
  client.receive(get(3))
  await client.turn()
  assert.equal(client.contentOf(3), 1)
  assert.equal(client.goaway, undefined)
})

test('an upload below the minimum rate gets 408', async () => {
  const harness = new Http2Harness(readWhole, { minRate: 100 })
  const client = await harness.begin()
  client.receive(post(1, '/'))
  await pass(harness, client, 20, () => {
    if (harness.over.length === 0) client.receive(data(1, 'x'))
  })
  assert.deepEqual(over(harness), [[408, true]])
  assert.deepEqual(harness.slowClients, ['body-rate'])
})

test('padding does not count as progress: an upload of padding only gets 408', async () => {
  const harness = new Http2Harness(readWhole)
  const client = await harness.begin()
  client.receive(post(1, '/'))
  await pass(harness, client, 35, () => {
    if (harness.over.length === 0) client.receive(frame(Type.data, h2.PADDED, 1, '\u0003\0\0\0'))
  })
  assert.deepEqual(over(harness), [[408, true]])
})

test('all stalled uploads of a connection get 408, and free their place for others', async () => {
  const harness = new Http2Harness(readWhole)
  const client = await harness.begin()
  for (let n = 0; n < 128; n++) client.receive(post(2 * n + 1, '/'), data(2 * n + 1, 'abc'))
  await pass(harness, client, 33, () => {})
  assert.equal(harness.over.length, 128)
  assert.ok(harness.over.every(({ status }) => status === 408))
  client.receive(get(301))
  await client.turn()
  assert.equal(client.contentOf(301), 1)
})

test('a client that opens no window of a stream only loses the stream', async () => {
  const harness = new Http2Harness(() => bytes(1000))
  const client = await harness.begin({ 4: 10 })
  client.receive(get(1))
  await pass(harness, client, 49, () => {})
  assert.equal(client.contentOf(1), 10)
  assert.deepEqual(over(harness), [])
  await pass(harness, client, 3, () => {})
  assert.equal(client.resetOf(1), Code.cancel)
  assert.deepEqual(over(harness), [[200, false]])
  assert.deepEqual(harness.slowClients, ['reply-timeout'])
  assert.equal(client.goaway, undefined)
})

test('a client that opens no stream windows gets little content buffered, however many streams it has', async () => {
  const bodies: Endless[] = []
  const harness = new Http2Harness(() => {
    bodies.push(new Endless())
    return new Reply(200, Headers.of(), bodies.at(-1)!)
  })
  for (const round of [0, 1]) {
    const client = await harness.begin({ 4: 0 })
    bodies.length = 0
    for (let n = 0; n < 128; n++) client.receive(get(2 * n + 1))
    await client.turn()
    assert.equal(client.of(Type.headers).length, 128, `round ${round}`)
    const held = bodies.reduce((sum, { taken }) => sum + taken, 0)
    // What is buffered for all clients together, and the last chunk of each.
    assert.ok(held <= 64 * 1024 ** 2 + 128 * 65_536, `${held} bytes are kept`)
    assert.ok(held >= 32 * 1024 ** 2, 'what was reserved for others was released')
    await pass(harness, client, 52, () => {})
    assert.ok(bodies.every(({ cancelled }) => cancelled))
    assert.equal(client.of(Type.reset).length, 128)
  }
})

test('a client that opens no window of the connection loses the connection', async () => {
  const harness = new Http2Harness(() => bytes(100_000))
  const client = await harness.begin({ 4: 2 ** 20 })
  for (let n = 0; n < 20; n++) client.receive(get(2 * n + 1))
  await pass(harness, client, 49, () => {})
  assert.equal(client.contentOf(), 65_535)
  assert.equal(harness.over.length, 0)
  await pass(harness, client, 3, () => {})
  assert.ok(client.socket.wasReset)
  assert.equal(harness.over.length, 20)
  assert.ok(harness.over.every(({ whole }) => !whole))
})

for (const stream of [0, 1])
  test(`a client that reads slowly but steadily, limited by the window of ${stream === 0 ? 'its connection' : 'a stream'}, gets the whole reply`, async () => {
    const harness = new Http2Harness(() => bytes(100_000))
    const client = await harness.begin({ 4: stream === 0 ? 2 ** 20 : 1000 })
    client.receive(get(1))
    if (stream === 1) client.receive(h2.windowUpdate(0, 2 ** 20))
    await pass(harness, client, 600, (second) => {
      if (second % 10 === 9 && client.contentOf() < 100_000) client.receive(h2.windowUpdate(stream, 2000))
    })
    assert.equal(client.contentOf(1), 100_000)
    assert.equal(harness.over[0]?.whole, true)
  })

test('a client that reads below the minimum rate is reset', async () => {
  const harness = new Http2Harness(() => bytes(200_000), { minRate: 1000 })
  const client = await harness.begin({ 4: 2 ** 20 })
  client.receive(get(1))
  await pass(harness, client, 300, () => client.receive(h2.windowUpdate(0, 10)))
  assert.deepEqual(harness.slowClients, ['reply-rate'])
  assert.ok(client.socket.wasReset)
})

test('a client that keeps sending requests without reading is no longer read from, and is cut off', async () => {
  const harness = new Http2Harness(() => bytes(10_000))
  const client = await harness.begin({ 4: 2 ** 30 })
  client.receive(h2.windowUpdate(0, 2 ** 30))
  client.socket.taking = false
  let requests = 0
  while (client.socket.reading && requests < 5000) {
    client.receive(get(2 * requests + 1))
    if (requests > 100) client.receive(h2.reset(2 * requests - 199))
    requests++
    await client.turn()
  }
  assert.ok(client.socket.writableLength < 600_000, `${client.socket.writableLength} bytes wait`)
  await pass(harness, client, 120, () => {})
  assert.ok(client.socket.destroyed)
  assert.equal(harness.over.length, harness.exchanges.length)
})

test('a client that keeps sending PINGs without reading is no longer read from', async () => {
  const harness = new Http2Harness(never)
  const client = await harness.begin()
  client.socket.taking = false
  await pass(harness, client, 3600, () => {
    if (client.socket.reading) client.receive(...Array.from({ length: 90 }, () => ping()))
  })
  assert.ok(client.socket.destroyed)
  assert.ok(client.socket.writableLength < 300_000, `${client.socket.writableLength} bytes wait`)
})

test('nothing of a closed connection is watched', async () => {
  const harness = new Http2Harness(readWhole)
  const client = await harness.begin({ 4: 0 })
  client.receive(post(1, '/'), data(1, 'abc'), get(3), post(5, '/', [['expect', '100-continue']]), get(7))
  await client.turn()
  client.connection.retire()
  client.socket.destroy()
  await client.turn()
  assert.equal(harness.deadlines.size, 0)
  assert.equal(harness.over.length, 4)
  assert.equal(harness.closedConnections, 1)
})

test('a client that has read everything may wait for the service without limit', async () => {
  const body = new PushedBody(-1)
  const harness = new Http2Harness(() => new Reply(200, Headers.of(), body))
  const client = await harness.begin({ 4: 10 })
  client.receive(get(1))
  await client.turn()
  body.push('x'.repeat(100))
  await client.turn()
  assert.equal(client.contentOf(1), 10)
  client.receive(h2.windowUpdate(1, 1000))
  await pass(harness, client, 300, () => {})
  assert.equal(client.contentOf(1), 100)
  assert.equal(client.resetOf(1), undefined)
  body.push('more')
  body.end()
  await client.turn()
  assert.equal(client.contentOf(1), 104)
})

test('a connection ends after its last stream, even if that has the highest possible id', async () => {
  const harness = new Http2Harness(() => new Promise<Reply>(() => {}))
  const client = await harness.begin()
  client.receive(get(2 ** 31 - 1))
  client.connection.drain()
  await client.turn()
  assert.equal(client.socket.hasEnded, false)
  client.receive(h2.reset(2 ** 31 - 1))
  await client.turn()
  assert.ok(client.socket.hasEnded)
})

test('the last stream that is served, once announced, stays the same when the connection breaks', async () => {
  const harness = new Http2Harness(never)
  const client = await harness.begin()
  client.receive(get(1))
  client.connection.drain()
  client.receive(get(3), frame(Type.ping, 0, 1, '12345678'))
  const lasts = client.of(Type.goaway).map(({ payload }) => payload.readInt32BE())
  assert.deepEqual(lasts, [1, 1])
  assert.equal(client.goaway, Code.protocol)
})
