import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { wireOf } from '../../src/http/headers.ts'
import { cases } from '../support/cases.ts'
import { RecordedService } from '../support/http2-client-harness.ts'
import * as h2 from '../support/http2-frames.ts'

const { Type, data, encode, frame } = h2

/** One reply: its frames and the expected outcome. */
interface Written {
  readonly frames: (stream: number) => readonly Buffer[]
  readonly status: number
  readonly text: string
  readonly trailers: string | null
  readonly interim: number
}

const chunk = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\r', '\n', '\xff'), maxLength: 40 })

const written: fc.Arbitrary<Written> = fc
  .record({
    status: fc.constantFrom(200, 201, 404, 500),
    chunks: fc.array(fc.tuple(chunk, fc.nat(5)), { maxLength: 6 }),
    interim: fc.nat(2),
    trailers: fc.option(fc.constantFrom('1', 'two')),
    announced: fc.boolean(),
    parts: fc.integer({ min: 1, max: 3 }),
    lastEmpty: fc.boolean(),
  })
  .map(({ status, chunks, interim, trailers, announced, parts, lastEmpty }) => {
    const text = chunks.map(([each]) => each).join('')
    const ends = trailers === null
    return {
      status,
      text,
      interim,
      trailers: trailers === null ? null : `x-sum: ${trailers}\r\n`,
      frames: (stream) => {
        const head = encode([
          [':status', String(status)],
          ['x-stream', String(stream)],
          ...(announced ? [['content-length', String(Buffer.from(text, 'latin1').length)] as const] : []),
        ])
        const bare = ends && chunks.length === 0 && !lastEmpty
        const padded = (content: string, padding: number, end: boolean): Buffer =>
          padding === 0
            ? data(stream, Buffer.from(content, 'latin1'), end)
            : frame(
                Type.data,
                h2.PADDED | (end ? h2.END_STREAM : 0),
                stream,
                Buffer.concat([Buffer.from([padding]), Buffer.from(content, 'latin1'), Buffer.alloc(padding)]),
              )
        return [
          ...Array.from({ length: interim }, () => h2.headers(stream, [[':status', '103']])),
          h2.inFrames(stream, head, parts, bare),
          ...chunks.map(([content, padding], i) =>
            padded(content, padding, ends && !lastEmpty && i === chunks.length - 1),
          ),
          ...(ends && lastEmpty ? [data(stream, '', true)] : []),
          ...(trailers === null ? [] : [h2.headers(stream, [['x-sum', trailers]], true)]),
        ]
      },
    }
  })

/** The frames of all streams, those of each in order, interleaved by numbers. */
function mixed(lists: readonly (readonly Buffer[])[], choices: readonly number[]): Buffer {
  const left = lists.map((list) => [...list])
  const all: Buffer[] = []
  for (let n = 0; left.some((list) => list.length > 0); n++) {
    const present = left.filter((list) => list.length > 0)
    all.push(present[(choices[n % choices.length] ?? 0) % present.length]!.shift()!)
  }
  return Buffer.concat(all)
}

test('replies are received as sent, however their frames are interleaved and split', () => {
  fc.assert(
    fc.property(
      fc.array(written, { minLength: 1, maxLength: 4 }),
      fc.array(fc.nat(7), { minLength: 1, maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 30 }),
      (replies, choices, cuts) => {
        const service = RecordedService.greeted()
        const reported = replies.map(() => service.send())
        const bytes = mixed(
          replies.map((reply, i) => reply.frames(2 * i + 1)),
          choices,
        )
        for (let at = 0, n = 0; at < bytes.length; n++) {
          const end = at + (cuts[n % cuts.length] ?? 1)
          service.receive(bytes.subarray(at, end))
          for (const each of reported) if (each.reply !== null) each.pipe()
          at = end
        }
        assert.equal(service.goaway, undefined)
        for (const [i, each] of reported.entries()) {
          const { status, text, trailers, interim } = replies[i]!
          assert.equal(each.reply?.status, status)
          assert.equal(each.reply.headers.get('x-stream'), String(2 * i + 1))
          assert.equal(each.text ?? '', text)
          const received = each.trailers
          assert.equal(received === null ? null : wireOf(received), trailers)
          assert.equal(each.interim.length, interim)
          assert.deepEqual(each.calls, ['replied', 'finished'])
        }
        assert.equal(service.connection.busy, 0)
        service.deadlines.close()
      },
    ),
    { numRuns: cases(100) },
  )
})

test('whatever a service sends, each exchange ends exactly once, and nothing is thrown', () => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(fc.nat(10), fc.nat(255), fc.constantFrom(0, 1, 2, 3, 5, 7), fc.uint8Array({ maxLength: 30 }))
      .map(([type, flags, stream, payload]) => frame(type, flags, stream, payload)),
    fc.constantFrom(1, 3).map((stream) => h2.headers(stream, [[':status', '200']])),
    fc.constantFrom(1, 3).map((stream) => data(stream, 'x', stream === 1)),
    fc.constantFrom(1, 3).map((stream) => h2.reset(stream, 7)),
  )
  fc.assert(
    fc.property(fc.array(noise, { maxLength: 15 }), (frames) => {
      const service = RecordedService.greeted()
      const reported = [service.send(), service.send({ method: 'HEAD' })]
      for (const bytes of frames) service.receive(bytes)
      service.socket.emit('end')
      for (const each of reported) {
        assert.equal(each.finishes, 1)
        const heads = each.calls.filter((call) => call === 'replied' || call === 'failed')
        assert.equal(heads.length, 1, each.calls.join())
        assert.ok(!each.calls.includes('brokeOff') || each.calls[0] === 'replied')
      }
      assert.equal(service.connection.busy, 0)
      service.deadlines.close()
    }),
    { numRuns: cases(200) },
  )
})
