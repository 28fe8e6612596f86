import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import test from 'node:test'
import { type BodySink, type BodyStream, Budget } from '../../http/body.ts'
import { Headers } from '../../http/headers.ts'
import { KeptBody } from './kept-body.ts'

/** A source that a test drives. */
class Source implements BodyStream {
  readonly length: number
  sink: BodySink | null = null
  resumed = 0
  cancelled = false

  constructor(length = -1) {
    this.length = length
  }

  pipe(sink: BodySink): void {
    this.sink = sink
  }

  resume(): void {
    this.resumed++
  }

  cancel(): void {
    this.cancelled = true
  }
}

function setUp(length = -1, limit = 100, budget = new Budget(1000), address = 'a client') {
  const source = new Source(length)
  const kept: (string | null)[] = []
  const stored = Promise.withResolvers<void>()
  const body = new KeptBody(
    source,
    limit,
    address,
    async (whole) => {
      kept.push(whole === null ? null : whole.toString())
      await stored.promise
    },
    budget,
  )
  const got: string[] = []
  const client = { takes: true }
  body.pipe({
    write(chunk) {
      got.push(chunk.toString())
      return client.takes
    },
    end: (trailers) => void got.push(trailers === null ? 'END' : 'TRAILERS'),
    fail: () => void got.push('FAILED'),
  })
  const write = (text: string): boolean => source.sink!.write(Buffer.from(text))
  return { source, body, kept, stored, got, client, write, budget }
}

test('the client gets the end once the body is stored', async () => {
  const { source, kept, stored, got, write } = setUp()
  write('a')
  write('b')
  source.sink!.end(null)
  await setImmediate()
  assert.deepEqual([kept, got], [['ab'], ['a', 'b']])
  stored.resolve()
  await setImmediate()
  assert.deepEqual(got, ['a', 'b', 'END'])
})

test('with a known length, the last part is held back until the body is stored', async () => {
  const { source, kept, stored, got, write } = setUp(2)
  write('a')
  write('b')
  source.sink!.end(null)
  await setImmediate()
  assert.deepEqual([kept, got], [['ab'], ['a']])
  stored.resolve()
  await setImmediate()
  assert.deepEqual(got, ['a', 'b', 'END'])
})

test('after a disconnect the body is still stored', async () => {
  const { source, body, kept, client, write, got } = setUp()
  client.takes = false
  assert.equal(write('a'), false)
  body.cancel()
  assert.deepEqual([source.resumed, source.cancelled], [1, false])
  assert.equal(write('b'), true)
  source.sink!.end(null)
  await setImmediate()
  assert.deepEqual([kept, got], [['ab'], ['a']])
})

test('the body is stored even if nobody reads it', async () => {
  const source = new Source()
  const kept: unknown[] = []
  const body = new KeptBody(source, 100, 'a client', async (whole) => void kept.push(String(whole)))
  body.cancel()
  source.sink!.write(Buffer.from('a'))
  source.sink!.end(null)
  assert.deepEqual(kept, ['a'])
})

test('a body that is too long, has trailers or fails is forwarded and not stored', async () => {
  const long = setUp(-1, 3)
  for (const text of ['ab', 'cd', 'ef']) assert.equal(long.write(text), true)
  assert.deepEqual([long.kept, long.got], [[null], ['ab', 'cd', 'ef']])
  long.body.cancel()
  assert.equal(long.source.cancelled, true)
  const trailing = setUp()
  trailing.stored.resolve()
  trailing.write('a')
  trailing.source.sink!.end(Headers.of([['X', '1']]))
  await setImmediate()
  assert.deepEqual([trailing.kept, trailing.got], [[null], ['a', 'TRAILERS']])
  const broken = setUp()
  broken.write('a')
  broken.source.sink!.fail(new Error('broken'))
  assert.deepEqual([broken.kept, broken.got], [[null], ['a', 'FAILED']])
  const short = setUp(3)
  short.stored.resolve()
  short.write('a')
  short.source.sink!.end(null)
  await setImmediate()
  assert.deepEqual(short.kept, [null])
})

test('after a disconnect a body that cannot be stored is cancelled', () => {
  const { source, body, kept, write } = setUp(-1, 3)
  body.cancel()
  assert.equal(write('abcd'), true)
  assert.deepEqual([kept, source.cancelled], [[null], true])
})

test('the budget limits stored bodies, and is returned', async () => {
  const budget = new Budget(7)
  const first = setUp(-1, 100, budget)
  first.write('abc')
  const second = setUp(-1, 100, budget)
  second.write('abc')
  assert.deepEqual(second.kept, [null])
  first.source.sink!.end(null)
  assert.equal(budget.free, 7)
})

test('a client that does not read its replies cannot use the budget of others', () => {
  const budget = new Budget(100)
  const greedy = Array.from({ length: 20 }, () => setUp(-1, 100, budget, 'greedy'))
  for (const { write, client } of greedy) {
    client.takes = false
    write('0123456789')
  }
  assert.ok(
    greedy.some(({ kept }) => kept.length > 0),
    'the last ones are dropped',
  )
  const other = setUp(-1, 100, budget, 'another')
  other.write('0123456789')
  assert.deepEqual(other.kept, [])
})
