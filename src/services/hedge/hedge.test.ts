import assert from 'node:assert/strict'
import test from 'node:test'
import { type AttemptsSetUp, received, ScriptedInstance, setUpAttempts } from '../../../test/support/attempts.ts'
import { PushedBody } from '../../../test/support/bodies.ts'
import { GatewayError } from '../../core/errors.ts'
import { Bytes } from '../../http/body.ts'
import { Headers } from '../../http/headers.ts'
import { ClosedBeforeReply, ConnectFailed } from '../../http/lane-errors.ts'
import { Reply } from '../../http/reply.ts'

const reply = (status = 200) => new Reply(status, Headers.of(), Bytes.fromLatin1('ok'))

/** An exchange that the first of so many instances has had for so long. */
function setUp(parts: Parameters<typeof setUpAttempts>[1] = {}, set: AttemptsSetUp = {}, waited = 50, count = 3) {
  const instances = Array.from({ length: count }, (_, slot) => new ScriptedInstance(slot))
  const all = setUpAttempts(instances, parts, { hedge: { after: '50ms' }, ...set })
  all.clock.advance(waited)
  const [a, b, c] = instances
  return { ...all, instances, a: a!, b: b!, c: c! }
}

/** The recorded outcomes of all attempts that have ended. */
const words = ({ reported }: Pick<ReturnType<typeof setUpAttempts>, 'reported'>): string[] =>
  reported.map(({ slot, status, reason, fault, took }) => `${slot} ${status} ${reason} ${fault} ${took}`)

const statusOf = ({ result }: Pick<ReturnType<typeof setUpAttempts>, 'result'>) => result.reply?.status

test('after the delay, a request without a reply is sent to one other instance', () => {
  const early = setUp({}, {}, 49)
  assert.equal(early.b.requests.length, 0)
  early.clock.advance(1)
  assert.deepEqual([early.a.requests.length, early.b.requests.length], [1, 1])
  early.clock.advance(10_000)
  assert.equal(early.c.requests.length, 0)
  assert.deepEqual([early.exchange.attempts, early.exchange.retried], [2, 'hedge'])
})

test('the first reply is used, and the other attempt is cancelled without blame', async () => {
  for (const [winner, loser, outcome] of [
    ['a', 'b', 'lost'],
    ['b', 'a', 'won'],
  ] as const) {
    const all = setUp()
    const [quick, slow] = [all[winner], all[loser]]
    all.clock.advance(10)
    quick.listener?.replied(reply(), false)
    quick.listener?.finished()
    assert.equal(slow.cancelled, 1)
    slow.listener?.finished()
    slow.listener?.failed(new ClosedBeforeReply(false, false, null))
    await received()
    assert.equal(all.result.reply?.status, 200)
    const took = { a: 60, b: 10 }
    assert.deepEqual(words(all), [
      `${quick.slot} 200 null none ${took[winner]}`,
      `${slow.slot} 0 null none ${took[loser]}`,
    ])
    assert.deepEqual(all.hedges, [`hedges ${outcome}`])
    assert.equal(all.exchange.instance, quick.address)
    assert.equal(all.exchange.serviceTime, 60)
    assert.deepEqual([quick.inFlight, quick.sent, slow.inFlight, slow.sent], [0, 0, 0, 0])
  }
})

test('no hedge is sent after a reply, a failure or a disconnect', async () => {
  for (const end of [
    ({ a }: ReturnType<typeof setUp>) => a.listener?.replied(new Reply(200, Headers.of(), new PushedBody(5)), false),
    ({ a }: ReturnType<typeof setUp>) => a.listener?.failed(new GatewayError('gateway-timeout')),
    ({ exchange }: ReturnType<typeof setUp>) => {
      Object.assign(exchange, { aborted: true })
      exchange.waiter?.abort()
    },
  ]) {
    const all = setUp({}, {}, 20)
    end(all)
    all.clock.advance(1_000)
    await received()
    assert.equal(all.b.requests.length, 0)
    assert.deepEqual(all.hedges, [])
  }
})

test('requests that are unsafe, have a body or an upgrade are not hedged', () => {
  const body = Bytes.fromLatin1('x')
  for (const [parts, sent] of [
    [{ method: 'GET' }, 1],
    [{ method: 'HEAD' }, 1],
    [{ method: 'OPTIONS' }, 1],
    [{ method: 'POST' }, 0],
    [{ method: 'PUT' }, 0],
    [{ method: 'DELETE' }, 0],
    [{ method: 'GET', body }, 0],
    [{ method: 'QUERY', body }, 0],
    [{ method: 'GET', upgrade: 'websocket' }, 0],
  ] as const)
    assert.equal(setUp({ ...parts }).b.requests.length, sent, JSON.stringify(parts))
})

test('requests of a bound client are not hedged', () => {
  assert.equal(setUp({}, { bound: 0 }).b.requests.length, 0)
})

test('without another instance no hedge is sent', () => {
  const { exchange, hedges } = setUp({}, {}, 1_000, 1)
  assert.deepEqual([exchange.attempts, hedges], [1, []])
})

test('without budget no hedge is sent, which is counted', () => {
  const counts = Array.from({ length: 2 }, (_, i) => {
    const all = setUp({}, { hedge: { after: '50ms', budget: '5%' }, others: i === 0 ? 0 : 10 })
    return [all.b.requests.length, all.hedges]
  })
  // One a second may be at any rate: ten within the window.
  assert.deepEqual(counts, [
    [1, []],
    [0, ['hedge_budget_exhausted']],
  ])
})

test('a 502, 503 or 504 is not used while the other attempt is in progress', async () => {
  for (const status of [502, 503, 504]) {
    const all = setUp({}, { retry: {} })
    all.b.listener?.replied(reply(status), false)
    all.b.listener?.finished()
    await received()
    assert.equal(statusOf(all), undefined)
    all.a.listener?.replied(reply(), false)
    await received()
    assert.equal(statusOf(all), 200)
    assert.deepEqual([all.c.requests.length, all.retries, all.hedges], [0, [], ['hedges lost']])
    assert.equal(all.exchange.instance, all.a.address)
  }
})

test('a failure is not used either, and if both fail the retry policy decides', async () => {
  const all = setUp({}, { retry: {} })
  all.a.listener?.finished()
  all.a.listener?.failed(new ClosedBeforeReply(false, false, null))
  await received()
  assert.deepEqual([all.result.error, all.c.requests.length], [null, 0])
  all.b.listener?.replied(reply(503), false)
  all.b.listener?.finished()
  assert.deepEqual([all.c.requests.length, all.retries], [1, ['status']])
  all.c.listener?.replied(reply(), false)
  await received()
  assert.equal(all.result.reply?.status, 200)
})

test('a request whose connection takes too long is hedged too', async () => {
  const a = new ScriptedInstance(0)
  const b = new ScriptedInstance(1)
  a.free = false
  const all = setUpAttempts([a, b], {}, { hedge: { after: '50ms' } })
  all.clock.advance(50)
  b.listener?.replied(reply(), false)
  b.listener?.finished()
  a.lanes?.resolve(a)
  await received()
  assert.deepEqual([all.result.reply?.status, a.requests.length, a.inFlight, all.hedges], [200, 0, 0, ['hedges won']])
  const failing = setUp()
  failing.b.free = false
  failing.a.listener?.failed(new ConnectFailed('instance-0:80', null))
  assert.equal(failing.result.error, null)
})

test('a disconnect of the client cancels both', async () => {
  const all = setUp()
  Object.assign(all.exchange, { aborted: true })
  all.exchange.waiter?.abort()
  assert.deepEqual([all.a.cancelled, all.b.cancelled], [1, 1])
  for (const each of [all.a, all.b]) {
    each.listener?.finished()
    each.listener?.failed(new ClosedBeforeReply(false, false, null))
  }
  await received()
  assert.deepEqual(words(all), ['0 0 null client 50', '1 0 null client 0'])
  assert.deepEqual([all.a.inFlight, all.b.inFlight], [0, 0])
})

test('the total timeout cancels both, without blame', async () => {
  const all = setUp({}, { total: 1_000 })
  all.clock.advance(1_200)
  await received()
  assert.deepEqual([all.a.cancelled, all.b.cancelled], [1, 1])
  assert.deepEqual(
    all.reported.map(({ reason, fault }) => `${reason} ${fault}`),
    ['timeout gateway', 'timeout gateway'],
  )
  assert.equal(all.result.error instanceof GatewayError && all.result.error.code, 'gateway-timeout')
})
