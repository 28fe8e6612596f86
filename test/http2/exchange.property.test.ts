import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Bytes, type BodyStream, isStream } from '../../src/http/body.ts'
import { Headers, wireOf } from '../../src/http/headers.ts'
import { Reply } from '../../src/http/reply.ts'
import type { ServerExchange } from '../../src/http/server-exchange.ts'
import { PartsBody } from '../support/bodies.ts'
import { cases } from '../support/cases.ts'
import * as h2 from '../support/http2-frames.ts'
import { Http2Harness, RecordedHttp2 } from '../support/http2-harness.ts'

const { Type, frame, headers, request, data } = h2

/** What a handler has received of one request. */
interface Heard {
  readonly start: string
  readonly fields: string
  body: string
  trailers: string | null
  ended: 'whole' | 'broken' | null
}

/** Reads the whole body, as far as it arrives. */
function listen({ method, target, headers: fields, body }: ServerExchange, whenOver: () => void): Heard {
  const heard: Heard = { start: `${method} ${target}`, fields: wireOf(fields), body: '', trailers: null, ended: null }
  const end = (how: 'whole' | 'broken'): void => {
    assert.equal(heard.ended, null, 'a body ends once')
    heard.ended = how
    whenOver()
  }
  if (!isStream(body)) {
    heard.body = body === null ? '' : body.toLatin1()
    end('whole')
    return heard
  }
  body.pipe({
    write: (chunk) => {
      assert.equal(heard.ended, null, 'nothing follows the end of a body')
      heard.body += chunk.toString('latin1')
      return true
    },
    end: (trailers) => {
      heard.trailers = trailers === null ? null : wireOf(trailers)
      end('whole')
    },
    fail: () => end('broken'),
  })
  return heard
}

/** What a request asks for in its path. */
function answering(heard: Heard[]) {
  return (exchange: ServerExchange): Reply | Promise<Reply> => {
    const reply = (body: BodyStream | Bytes | null) => new Reply(200, Headers.of(), body)
    switch (exchange.path) {
      case '/early':
        return reply(Bytes.fromText('early'))
      case '/none':
        return reply(null)
      case '/never':
        return new Promise<Reply>(() => {})
      case '/fails':
        return Promise.reject(new Error('broken on purpose'))
      case '/parts':
        return reply(new PartsBody(['one', 'x'.repeat(20_000), 'three'], false, null))
      default: {
        const { promise, resolve } = Promise.withResolvers<Reply>()
        heard.push(listen(exchange, () => resolve(reply(Bytes.fromText('read')))))
        return promise
      }
    }
  }
}

interface Asked {
  readonly path: string
  readonly fields: h2.Fields
  readonly parts: readonly Buffer[]
  readonly padding: number
  readonly trailers: boolean
  /** The number of frames of the head. */
  readonly pieces: number
}

const asked: fc.Arbitrary<Asked> = fc.record({
  path: fc.constantFrom('/read', '/read', '/read?x=1', '/early', '/none', '/never', '/parts', '/fails'),
  fields: fc.array(fc.tuple(fc.constantFrom('x-a', 'x-b', 'cookie', 'user-agent'), fc.constantFrom('', 'a', 'b c')), {
    maxLength: 4,
  }),
  parts: fc.array(
    fc.integer({ min: 0, max: 9000 }).map((length) => Buffer.alloc(length, 'abcdefg')),
    { maxLength: 4 },
  ),
  padding: fc.constantFrom(0, 0, 0, 1, 200),
  trailers: fc.boolean(),
  pieces: fc.constantFrom(1, 1, 2, 3),
})

/** The frames of one request, each in a turn of its stream. */
function framesOf(stream: number, { path, fields, parts, padding, trailers, pieces }: Asked): Buffer[] {
  const section = h2.encode(request(parts.length > 0 || trailers ? 'POST' : 'GET', path, fields))
  const alone = parts.length === 0 && !trailers
  const frames = [h2.inFrames(stream, section, pieces, alone)]
  for (const [i, part] of parts.entries()) {
    const ends = i === parts.length - 1 && !trailers
    const padded = Buffer.concat([Buffer.from([padding]), part, Buffer.alloc(padding)])
    frames.push(padding === 0 ? data(stream, part, ends) : frame(Type.data, h2.PADDED | (ends ? 1 : 0), stream, padded))
  }
  if (trailers) frames.push(headers(stream, [['x-trailer', 'last']], true))
  return frames
}

/** Interleaved streams, each opened after the previous one. */
const script = fc
  .tuple(fc.array(asked, { minLength: 1, maxLength: 6 }), fc.array(fc.nat(20), { minLength: 1, maxLength: 20 }))
  .map(([requests, order]) => {
    const queues = requests.map((each, i) => framesOf(2 * i + 1, each))
    const frames: Buffer[] = []
    let begun = 0
    for (let turn = 0; queues.some(({ length }) => length > 0); turn++) {
      const open = queues.slice(0, begun + 1).filter(({ length }) => length > 0)
      const queue = open[order[turn % order.length]! % open.length]!
      frames.push(queue.shift()!)
      if (queue === queues[begun]) begun++
    }
    return frames
  })

/** The outcome, however the frames were split. */
async function outcome(pieces: readonly Buffer[]) {
  const heard: Heard[] = []
  const harness = new Http2Harness(answering(heard))
  const client = new RecordedHttp2(harness)
  for (const each of pieces) client.receive(each)
  await client.turn()
  const streams = [1, 3, 5, 7, 9, 11].map((id) => ({
    heads: client.of(Type.headers, id).length,
    content: client.contentOf(id),
    ended: client.frames.some(({ stream, flags, type }) => stream === id && type <= 1 && (flags & 1) === 1),
  }))
  // Those that are complete start before others: streams have no order.
  heard.sort((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)))
  const came = { heard: structuredClone(heard), streams, goaway: client.goaway, inFlight: client.connection.inFlight }
  // An unanswered request holds its body until then, and all clients share the room for bodies.
  client.socket.destroy()
  return came
}

/** With room for all replies: if it is short, it depends on timing which gets how much. */
const START = [h2.PREFACE, h2.settings({ 4: 100_000 }), h2.windowUpdate(0, 1_000_000)]

test('property: the exchanges are the same however the bytes are split', async () => {
  await fc.assert(
    fc.asyncProperty(
      script,
      fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 10 }),
      async (frames, sizes) => {
        const whole = Buffer.concat([...START, ...frames])
        const pieces: Buffer[] = []
        for (let at = 0, n = 0; at < whole.length; n++) {
          const end = at + sizes[n % sizes.length]!
          pieces.push(whole.subarray(at, end))
          at = end
        }
        const [one, other] = [await outcome([whole]), await outcome(pieces)]
        assert.equal(one.goaway, undefined)
        assert.deepEqual(other, one)
        for (const { ended } of one.heard) assert.equal(ended, 'whole')
      },
    ),
    { numRuns: cases(60) },
  )
})

/** A defect: what is done to the frames. */
const mistake: fc.Arbitrary<(frames: Buffer[]) => void> = fc.oneof(
  fc.tuple(fc.nat(1000), fc.nat(40), fc.integer({ min: 1, max: 255 })).map(([n, at, flip]) => (frames: Buffer[]) => {
    const changed = Buffer.from(frames[n % frames.length]!)
    const place = at % Math.max(1, changed.length)
    if (changed.length > 0) changed[place] = changed[place]! ^ flip
    frames[n % frames.length] = changed
  }),
  fc.nat(1000).map((n) => (frames: Buffer[]) => void frames.splice(n % frames.length, 1)),
  fc.tuple(fc.nat(1000), fc.nat(1000)).map(([n, to]) => (frames: Buffer[]) => {
    frames.splice(to % frames.length, 0, frames[n % frames.length]!)
  }),
  fc.tuple(fc.nat(1000), fc.nat(1000)).map(([n, to]) => (frames: Buffer[]) => {
    const [moved] = frames.splice(n % frames.length, 1)
    if (moved !== undefined) frames.splice(to % (frames.length + 1), 0, moved)
  }),
  fc
    .tuple(
      fc.nat(1000),
      fc.nat(12),
      fc.constantFrom(0, 1, 4, 5, 8, 9, 32, 255),
      fc.nat(13),
      fc.uint8Array({ maxLength: 12 }),
    )
    .map(
      ([n, type, flags, stream, payload]) =>
        (frames: Buffer[]) =>
          void frames.splice(n % (frames.length + 1), 0, frame(type, flags, stream, payload)),
    ),
  fc.tuple(fc.nat(1000), fc.constantFrom(1, 3, 5), fc.constantFrom(0, 8, 7)).map(
    ([n, stream, code]) =>
      (frames: Buffer[]) =>
        void frames.splice(n % (frames.length + 1), 0, h2.reset(stream, code)),
  ),
  fc.tuple(fc.nat(1000), fc.nat(200)).map(([n, length]) => (frames: Buffer[]) => {
    const place = n % frames.length
    frames[place] = frames[place]!.subarray(0, Math.max(0, frames[place]!.length - length))
  }),
)

test('property: on any violation nothing is thrown, and each exchange ends exactly once', async () => {
  await fc.assert(
    fc.asyncProperty(
      script,
      fc.array(mistake, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('end', 'close', 'retire', 'drain', 'cut off'),
      fc.boolean(),
      async (valid, mistakes, ending, takes) => {
        const frames = [h2.PREFACE, h2.settings({ 4: 100 }), ...valid]
        for (const change of mistakes) if (frames.length > 0) change(frames)
        const harness = new Http2Harness(answering([]))
        const client = new RecordedHttp2(harness)
        client.socket.taking = takes
        const seen = new Set<ServerExchange>()
        for (const each of frames) {
          if (client.socket.hasEnded || client.socket.destroyed) break
          client.receive(each)
        }
        await client.turn()
        if (ending === 'end') client.socket.emit('end')
        else if (ending === 'retire') client.connection.retire()
        else if (ending === 'drain') client.connection.drain()
        else if (ending === 'cut off') client.connection.cutOff()
        await client.turn()
        if (!client.socket.destroyed) client.socket.destroy()
        await client.turn()
        for (const { exchange } of harness.over) {
          assert.ok(!seen.has(exchange), 'an exchange ended twice')
          seen.add(exchange)
        }
        for (const exchange of harness.exchanges) assert.ok(seen.has(exchange), 'an exchange has not ended')
        assert.equal(harness.closedConnections, 1)
        assert.equal(client.connection.inFlight, 0)
        assert.equal(harness.deadlines.size, 0)
      },
    ),
    { numRuns: cases(100) },
  )
})
