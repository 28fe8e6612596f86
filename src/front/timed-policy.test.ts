import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { compose, type Middleware } from '../http/handler.ts'
import { ExchangeRecord } from '../http/record.ts'
import { Reply } from '../http/reply.ts'
import { timed } from './timed-policy.ts'

/** What each of two steps took, the outer one 5 ms before and 3 ms after, the inner one 7 ms before it goes on. */
function setUp(end: (clock: ManualClock) => Reply | Promise<Reply>) {
  const clock = new ManualClock()
  const outer: Middleware = (next) => (exchange) => {
    clock.advance(5)
    const reply = next(exchange)
    clock.advance(3)
    return reply
  }
  const inner: Middleware = (next) => (exchange) => {
    clock.advance(7)
    return next(exchange)
  }
  const record = new ExchangeRecord(clock)
  const handle = compose([timed('outer', outer, clock), timed('inner', inner, clock)], () => end(clock))
  return { clock, record, handle: () => handle(makeExchange({ record })) }
}

test('the time of a policy is what passes before next and after the reply, without inner policies', () => {
  const { handle, record } = setUp((clock) => {
    clock.advance(100)
    return new Reply(200, Reply.json(200, {}).headers, null)
  })
  void handle()
  assert.deepEqual(
    [...record.policies],
    [
      ['inner', 7],
      ['outer', 8],
    ],
  )
})

test('this also holds for asynchronous replies and failures', async () => {
  const { promise, resolve } = Promise.withResolvers<Reply>()
  const late = setUp(() => promise)
  const reply = late.handle()
  late.clock.advance(100)
  resolve(Reply.json(200, {}))
  await reply
  assert.equal(late.record.policies.get('inner'), 7)
  const failing = setUp(() => {
    throw new Error('broken')
  })
  assert.throws(failing.handle, /broken/)
  assert.deepEqual(
    [...failing.record.policies],
    [
      ['inner', 7],
      ['outer', 5],
    ],
  )
})
