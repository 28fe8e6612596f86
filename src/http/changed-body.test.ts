import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { CollectingSink, PartsBody, PushedBody } from '../../test/support/bodies.ts'
import { ChangedBody } from './changed-body.ts'
import { Headers } from './headers.ts'

/** Writes everything in capitals, and says at the end how many chunks there were. */
class Capitals extends ChangedBody {
  private chunks = 0

  protected override change(chunk: Buffer): Buffer {
    const text = chunk.toString('latin1')
    if (text.includes('?')) throw new Error('a question')
    this.chunks++
    return Buffer.from(text.replaceAll('-', '').toUpperCase())
  }

  protected override finish(trailers: Headers | null): Buffer {
    if (trailers?.has('X-Bad') === true) throw new Error('a bad end')
    return Buffer.from(`.${this.chunks}`)
  }
}

function piped() {
  const source = new PushedBody(-1)
  const body = new Capitals(source)
  const sink = new CollectingSink()
  body.pipe(sink)
  return { source, body, sink }
}

test('the transformed chunks arrive with their end, without the trailers', () => {
  const { source, body, sink } = piped()
  source.push('ab')
  source.push('-')
  source.push('c')
  source.end(Headers.of([['X-A', '1']]))
  assert.deepEqual([sink.text, sink.writes, sink.ended, sink.trailers, body.length], ['ABC.3', 3, true, null, -1])
})

test('the end waits until the sink is ready', () => {
  const { source, body, sink } = piped()
  sink.taking = false
  assert.equal(source.push('ab'), false)
  source.end()
  assert.deepEqual([sink.text, sink.ended], ['AB', false])
  body.resume()
  assert.deepEqual([sink.text, sink.ended, source.resumed], ['AB.1', true, 1])
  // The answer to the end itself is none that the source has been told.
  body.resume()
  assert.equal(source.resumed, 1)
})

test('a chunk or end that cannot be transformed fails the body and cancels its source', () => {
  const chunk = piped()
  assert.equal(chunk.source.push('?'), false)
  assert.deepEqual([chunk.sink.error?.message, chunk.source.cancelled], ['a question', true])
  chunk.source.push('more')
  chunk.source.end()
  assert.deepEqual([chunk.sink.text, chunk.sink.ended], ['', false])
  const end = piped()
  end.source.push('a')
  end.source.end(Headers.of([['X-Bad', '1']]))
  assert.deepEqual([end.sink.text, end.sink.error?.message, end.sink.ended], ['A', 'a bad end', false])
})

test('a failing source is reported once, and nothing follows', () => {
  const { source, sink } = piped()
  source.push('a')
  source.sink!.fail(new Error('gone'))
  source.end()
  assert.deepEqual([sink.text, sink.error?.message, sink.ended], ['A', 'gone', false])
})

test('property: however a sink pauses, everything arrives once and in order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z-]{1,5}$/), { maxLength: 20 }),
      fc.infiniteStream(fc.boolean()),
      (parts, pauses) => {
        const body = new Capitals(new PartsBody(parts, false, null))
        let text = ''
        let paused = false
        let ended = false
        body.pipe({
          write(chunk) {
            assert.equal(paused, false, 'a chunk for a sink that accepts none')
            text += chunk.toString('latin1')
            paused = pauses.next().value === true
            return !paused
          },
          end: () => void (ended = true),
          fail: (error) => assert.fail(error),
        })
        while (paused) {
          paused = false
          body.resume()
        }
        assert.ok(ended)
        assert.equal(text, `${parts.join('').replaceAll('-', '').toUpperCase()}.${parts.length}`)
      },
    ),
  )
})
