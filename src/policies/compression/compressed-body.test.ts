import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import test from 'node:test'
import { brotliDecompressSync, createGunzip, gunzipSync, zstdDecompressSync } from 'node:zlib'
import { CollectingSink, PushedBody } from '../../../test/support/bodies.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { turnUntil } from '../../../test/support/settled.ts'
import { Bytes, collect } from '../../http/body.ts'
import { Headers } from '../../http/headers.ts'
import { type CodingName, codings } from './codings.ts'
import { CompressedBody } from './compressed-body.ts'
import { Pieces } from './pieces.ts'

const decompress = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync }

function setUp(name: CodingName = 'gzip') {
  const clock = new ManualClock()
  const source = new PushedBody(-1)
  const sink = new CollectingSink()
  const counts = { released: 0 }
  const released = (): void => void counts.released++
  const body = new CompressedBody(source, { coding: codings[name], level: codings[name].levels.usual, clock, released })
  return { clock, source, sink, body, counts }
}

for (const name of ['br', 'gzip', 'zstd'] as const) {
  test(`the output of ${name} decompresses to the input, and is shorter`, async () => {
    const text = Array.from({ length: 20_000 }, (_, i) => `line ${i * 7919}\n`).join('')
    const clock = new ManualClock()
    const compression = { coding: codings[name], level: codings[name].levels.usual, clock, released: () => {} }
    const body = new CompressedBody(new Pieces(Bytes.fromText(text)), compression)
    const compressed = (await collect(body, 1_000_000, 'a client')).toBuffer()
    assert.ok(compressed.length < text.length / 2)
    assert.equal(decompress[name](compressed).toString(), text)
    assert.equal(clock.pending, 0)
  })

  test(`data of a slow source is flushed by ${name} before more arrives`, async () => {
    const { clock, source, sink, body } = setUp(name)
    body.pipe(sink)
    source.push('first')
    await turnUntil('the source to resume', () => source.resumed === 1)
    const before = sink.text.length
    clock.advance(10)
    await turnUntil('flushed output', () => sink.text.length > before)
    source.push('second')
    await turnUntil('the source to resume', () => source.resumed === 2)
    const between = sink.text.length
    clock.advance(10)
    await turnUntil('flushed output', () => sink.text.length > between)
    assert.ok(!sink.ended)
    source.end()
    await turnUntil('the end', () => sink.ended)
    assert.equal(decompress[name](Buffer.from(sink.text, 'latin1')).toString(), 'firstsecond')
    assert.equal(clock.pending, 0)
  })
}

test('flushed output can be decompressed without the rest', async () => {
  const { clock, source, sink, body } = setUp()
  body.pipe(sink)
  source.push('an event')
  clock.advance(10)
  const reader = createGunzip()
  let read = ''
  reader.on('data', (chunk: Buffer) => (read += chunk.toString()))
  let passed = 0
  await turnUntil('the text', () => {
    if (sink.text.length > passed) reader.write(Buffer.from(sink.text.slice(passed), 'latin1'))
    passed = sink.text.length
    return read === 'an event'
  })
  reader.destroy()
  body.cancel()
})

test('the source waits until its piece is processed', async () => {
  const { source, sink, body } = setUp()
  body.pipe(sink)
  assert.equal(source.push('a'), false)
  assert.equal(source.resumed, 0)
  await turnUntil('the source to resume', () => source.resumed === 1)
  body.cancel()
})

test('the source waits while the sink is not ready, whatever it could send', async () => {
  const { source, sink, body } = setUp()
  sink.taking = false
  body.pipe(sink)
  const piece = randomBytes(65_536).toString('latin1')
  let pushed = 0
  // What waits in between is bounded: at some point no piece is taken any more.
  for (let idle = 0; idle < 2000; idle++) {
    await new Promise(setImmediate)
    if (source.resumed < pushed) continue
    idle = 0
    source.push(piece)
    pushed++
    assert.ok(pushed < 10, 'the source never ends')
  }
  const { writes } = sink
  assert.equal(writes, 1)
  sink.taking = true
  body.resume()
  await turnUntil('the source to resume', () => source.resumed === pushed)
  source.end()
  await turnUntil('the end', () => sink.ended)
  assert.equal(gunzipSync(Buffer.from(sink.text, 'latin1')).length, pushed * 65_536)
})

test('trailers come after the content', async () => {
  const { source, sink, body, counts } = setUp()
  body.pipe(sink)
  const trailers = Headers.of([['Server-Timing', 'db;dur=3']])
  source.push('content')
  source.end(trailers)
  await turnUntil('the end', () => sink.ended)
  assert.equal(sink.trailers, trailers)
  assert.equal(counts.released, 1)
})

test('a failing source fails the body', async () => {
  const { clock, source, sink, body, counts } = setUp()
  body.pipe(sink)
  source.push('content')
  await turnUntil('the source to resume', () => source.resumed === 1)
  const error = new Error('the service is gone')
  source.sink!.fail(error)
  assert.equal(sink.error, error)
  assert.equal(counts.released, 1)
  assert.equal(clock.pending, 0)
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  assert.ok(!sink.ended)
  assert.equal(source.resumed, 1)
})

test('cancelling ends the source and the compressor, even within a piece', async () => {
  const { clock, source, sink, body, counts } = setUp()
  body.pipe(sink)
  source.push('x'.repeat(60_000))
  body.cancel()
  body.cancel()
  assert.ok(source.cancelled)
  assert.equal(counts.released, 1)
  assert.equal(clock.pending, 0)
  body.resume()
  assert.equal(source.push('y'), false)
  source.sink!.end(null)
  source.sink!.fail(new Error('late'))
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  assert.equal(sink.writes, 0)
  assert.ok(!sink.ended)
  assert.equal(sink.error, null)
  assert.equal(source.resumed, 0)
})

test('a body that is never piped creates no compressor', () => {
  const { source, body, counts } = setUp()
  body.cancel()
  assert.ok(source.cancelled)
  assert.equal(counts.released, 1)
})

test('a failing compressor cancels the source and fails the body', async () => {
  const source = new PushedBody(-1)
  const sink = new CollectingSink()
  let released = 0
  const coding = {
    ...codings.gzip,
    create(level: number) {
      const compressor = codings.gzip.create(level)
      Object.assign(compressor, {
        _transform: (_: Buffer, __: string, done: (error: Error) => void) => done(new Error('no memory')),
      })
      return compressor
    },
  }
  const body = new CompressedBody(source, { coding, level: 1, clock: new ManualClock(), released: () => released++ })
  body.pipe(sink)
  source.push('a')
  await turnUntil('the failure', () => sink.error !== null)
  assert.match(String(sink.error), /no memory/)
  assert.ok(source.cancelled)
  assert.equal(released, 1)
})
