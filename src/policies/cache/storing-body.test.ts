import assert from 'node:assert/strict'
import test from 'node:test'
import type { BodySink, BodyStream } from '../../http/body.ts'
import { Headers } from '../../http/headers.ts'
import { StoringBody } from './storing-body.ts'

/** A body that comes as the test says, and where it goes. */
function setUp(limit: number, length = -1) {
  const sinks: BodySink[] = []
  const events: string[] = []
  const source: BodyStream = {
    length,
    pipe: (sink) => sinks.push(sink),
    resume: () => events.push('resume'),
    cancel: () => events.push('cancel'),
  }
  const stored: string[] = []
  const body = new StoringBody(source, limit, 'a client', (came) =>
    stored.push(typeof came === 'string' ? came : came.toText()),
  )
  let takes = true
  body.pipe({
    write: (chunk) => {
      events.push(chunk.toString())
      return takes
    },
    end: () => events.push('end'),
    fail: () => events.push('fail'),
  })
  const [sink] = sinks
  if (sink === undefined) assert.fail('the source is piped into nothing')
  const come = (text: string): boolean => {
    const lent = Buffer.from(text)
    const more = sink.write(lent)
    lent.fill(0)
    return more
  }
  return { body, events, kept: stored, come, sink, block: () => (takes = false) }
}

test('a body is kept whole while it passes through', () => {
  const { events, kept, come, sink } = setUp(10)
  come('abc')
  come('def')
  sink.end(null)
  assert.deepEqual(events, ['abc', 'def', 'end'])
  assert.deepEqual(kept, ['abcdef'])
})

test('backpressure passes through', () => {
  const { body, events, come, block } = setUp(10)
  block()
  assert.equal(come('abc'), false)
  body.resume()
  assert.deepEqual(events, ['abc', 'resume'])
})

test('a body over the limit is passed through and not kept', () => {
  const { events, kept, come, sink } = setUp(5)
  come('abc')
  come('def')
  come('ghi')
  sink.end(null)
  assert.deepEqual(events, ['abc', 'def', 'ghi', 'end'])
  assert.deepEqual(kept, ['unfit'])
})

test('a body that breaks off, that nobody wants, that has trailers, or is too short, is not kept', () => {
  const broken = setUp(10)
  broken.come('abc')
  broken.sink.fail(new Error('gone'))
  const cancelled = setUp(10)
  cancelled.come('abc')
  cancelled.body.cancel()
  const trailing = setUp(10)
  trailing.sink.end(Headers.of([['X-Sum', '1']]))
  const short = setUp(10, 5)
  short.come('abc')
  short.sink.end(null)
  for (const { kept } of [broken, cancelled, short]) assert.deepEqual(kept, ['lost'])
  assert.deepEqual(trailing.kept, ['unfit'])
  assert.deepEqual(broken.events, ['abc', 'fail'])
  assert.deepEqual(cancelled.events, ['abc', 'cancel'])
})
