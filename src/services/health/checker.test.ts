import assert from 'node:assert/strict'
import test from 'node:test'
import { options, service, setUp } from '../../../test/support/health-checks.ts'

test('nothing is checked before start, and everything is unknown', () => {
  const { checker, clock, started } = setUp()
  checker.update({ users: service([1]) })
  clock.advance(60_000)
  assert.equal(started.length, 0)
  assert.deepEqual(checker.report(), [
    {
      service: 'users',
      instances: [
        {
          address: '127.0.0.1:1',
          state: 'unknown',
          drained: false,
          ejection: null,
          failures: 0,
          reason: null,
          since: Date.UTC(2024, 0, 15, 10, 30),
          checkedAt: null,
          duration: null,
        },
      ],
    },
  ])
})

test('start checks every instance at once, with the path of its service', () => {
  const { checker, started } = setUp()
  checker.update({ users: service([1, 2]), orders: service([3], { path: '/ready?deep=1' }) })
  checker.start()
  assert.deepEqual(
    started.map(({ authority, path }) => `${authority} ${path}`),
    ['127.0.0.1:1 /health', '127.0.0.1:2 /health', '127.0.0.1:3 /ready?deep=1'],
  )
})

test('a check uses the Host of requests to the service', () => {
  for (const [host, authority] of [
    ['client', '127.0.0.1:1'],
    ['instance', '127.0.0.1:1'],
    ['users.internal', 'users.internal'],
  ] as const) {
    const { checker, started } = setUp()
    checker.update({ users: service([1], {}, host) })
    checker.start()
    assert.equal(started[0]?.authority, authority)
  }
})

test('a change of Host takes effect at once', () => {
  const { checker, clock, started, answer } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  answer(1, 200)
  checker.update({ users: service([1], {}, 'users.internal') })
  clock.advance(0)
  assert.deepEqual(
    started.map(({ authority }) => authority),
    ['127.0.0.1:1', 'users.internal'],
  )
})

test('instances of a service without checks are healthy and not checked', () => {
  const { checker, clock, started, board } = setUp()
  const slots = checker.update({ users: service([1], false) })
  checker.start()
  clock.advance(60_000)
  assert.equal(started.length, 0)
  assert.equal(board.state(slots['users']!.get('127.0.0.1:1')!), 'healthy')
  assert.equal(checker.report()[0]!.instances[0]!.reason, 'checks are off')
})

test('an unchanged instance keeps its state, counts and schedule in a new configuration', () => {
  const { checker, clock, answer, started, states } = setUp()
  const before = checker.update({ users: service([1, 2]) })
  checker.start()
  states(1, 200, 500)
  const checks = started.length
  const after = checker.update({ orders: service([3]), users: service([1]) })
  const first = '127.0.0.1:1'
  assert.equal(after['users']!.get(first), before['users']!.get(first))
  assert.deepEqual(
    started.slice(checks).map(({ port }) => port),
    [3],
  )
  clock.advance(options.interval)
  answer(1, 500)
  assert.equal(checker.report()[1]!.instances[0]!.state, 'unhealthy')
})

test('a removed instance is no longer checked, and a check in progress is cancelled', () => {
  const { checker, clock, cancelled, started } = setUp()
  checker.update({ users: service([1, 2]) })
  checker.start()
  checker.update({ users: service([2]) })
  assert.equal(cancelled(), 1)
  clock.advance(60_000)
  assert.equal(started.filter(({ port }) => port === 1).length, 1)
  assert.deepEqual(
    checker.report()[0]!.instances.map(({ address }) => address),
    ['127.0.0.1:2'],
  )
})

test('changed options take effect at once, and their first result decides', () => {
  const { checker, answer, open, board, cancelled } = setUp()
  const slots = checker.update({ users: service([1], { path: '/wrong', healthyAfter: 5 }) })
  const slot = slots['users']!.get('127.0.0.1:1')!
  checker.start()
  answer(1, 404)
  assert.equal(board.state(slot), 'unhealthy')
  checker.update({ users: service([1], { path: '/right', healthyAfter: 5 }) })
  assert.equal(board.state(slot), 'unhealthy')
  assert.equal(open.get(1)!.target.path, '/right')
  answer(1, 200)
  assert.equal(board.state(slot), 'healthy')
  assert.equal(cancelled(), 0)
})

test('checks can be turned off and on by a new configuration', () => {
  const { checker, clock, answer, open, board, cancelled } = setUp()
  const slot = checker.update({ users: service([1]) })['users']!.get('127.0.0.1:1')!
  checker.start()
  answer(1, 500)
  clock.advance(1_000)
  checker.update({ users: service([1], false) })
  assert.equal(cancelled(), 1)
  assert.equal(board.state(slot), 'healthy')
  assert.equal(clock.pending, 0)
  checker.update({ users: service([1]) })
  assert.equal(board.state(slot), 'healthy')
  assert.equal(open.size, 1)
  answer(1, 500)
  assert.equal(board.state(slot), 'unhealthy')
})

test('an address listed twice in a service is checked and reported once', () => {
  const { checker, started } = setUp()
  checker.update({ users: service([1, 1]) })
  checker.start()
  assert.equal(started.length, 1)
  assert.equal(checker.report()[0]!.instances.length, 1)
})

test('the first round ends when every instance has answered or timed out', async () => {
  const { checker, clock, answer } = setUp()
  checker.update({ users: service([1, 2]), orders: service([3], false) })
  checker.start()
  let over = false
  const round = checker.firstRound.then(() => (over = true))
  answer(1, 200)
  await new Promise(setImmediate)
  assert.equal(over, false)
  clock.advance(options.timeout)
  await round
  assert.equal(checker.report()[0]!.instances[1]!.state, 'unhealthy')
})

test('stop cancels all checks and timers, and ends the first round', async () => {
  const { checker, clock, answer, open, cancelled, started } = setUp()
  checker.update({ users: service([1, 2]) })
  checker.start()
  answer(1, 200)
  checker.stop()
  await checker.firstRound
  assert.equal(cancelled(), 1)
  assert.equal(open.size, 0)
  assert.equal(clock.pending, 0)
  clock.advance(60_000)
  assert.equal(started.length, 2)
})

test('an instance added by a reload is checked beforehand, and gets no requests until it passes', async () => {
  const { checker, board, started, answer } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  answer(1, 200)
  const prepared = await checker.prepare({ users: service([1, 2, 3]), orders: service([4], false) }, 0)
  const { slots } = prepared
  assert.deepEqual(
    started.map(({ port }) => port),
    [1, 2, 3],
  )
  const [first, second, third] = [...slots['users']!.values()]
  const [unchecked] = [...slots['orders']!.values()]
  assert.deepEqual(
    [first, second, third, unchecked].map((slot) => [board.state(slot!), board.usable(slot!)]),
    [
      ['healthy', true],
      ['pending', false],
      ['pending', false],
      ['healthy', true],
    ],
  )
  answer(2, 200)
  prepared.commit()
  assert.equal(board.usable(second!), true)
  assert.deepEqual([board.state(third!), board.usable(third!)], ['pending', false])
  answer(3, 503)
  assert.deepEqual([board.state(third!), board.usable(third!)], ['unhealthy', false])
  assert.deepEqual(
    checker.report().flatMap(({ instances }) => instances.map(({ state }) => state)),
    ['healthy', 'healthy', 'unhealthy', 'healthy'],
  )
})

test('preparing changes nothing for unchanged instances', async () => {
  const { checker, started, answer, clock } = setUp()
  checker.update({ users: service([1, 2]) })
  checker.start()
  answer(1, 500)
  answer(2, 200)
  const orders = service([3], { timeout: 60_000 })
  const prepared = await checker.prepare({ orders, users: service([1], { path: '/other' }) }, 0)
  assert.deepEqual(
    checker.report().map(({ service: name, instances }) => [name, instances.length]),
    [['users', 2]],
  )
  clock.advance(1_000)
  assert.deepEqual(
    started.slice(3).map(({ port, path }) => [port, path]),
    [[1, '/health']],
  )
  answer(3, 200)
  prepared.commit()
  assert.deepEqual(
    checker.report().map(({ service: name, instances }) => [name, instances.map(({ state }) => state)]),
    [
      ['orders', ['healthy']],
      ['users', ['unhealthy']],
    ],
  )
  assert.deepEqual(
    started.slice(4).map(({ port, path }) => [port, path]),
    [[1, '/other']],
  )
})

test('abandoning leaves no checks, timers or report entries', async () => {
  const { checker, clock, cancelled, answer, open } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  answer(1, 200)
  const before = checker.report()
  const timers = clock.pending
  const prepared = await checker.prepare({ orders: service([2, 3]), users: service([4], { path: '/other' }) }, 0)
  answer(2, 200)
  prepared.abandon()
  assert.equal(cancelled(), 2)
  assert.equal(open.size, 0)
  assert.equal(clock.pending, timers)
  assert.deepEqual(checker.report(), before)
})

test('a reload is warm when all added instances have been checked', async () => {
  const { checker, clock, answer } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  const prepared = await checker.prepare({ users: service([1, 2, 3]) }, 0)
  let over = false
  const warmed = prepared.warm(5_000).then(() => (over = true))
  answer(2, 200)
  await new Promise(setImmediate)
  assert.equal(over, false)
  answer(3, 500)
  await warmed
  // What is left is the pause after each of the two checks, and the timeout of the first one.
  assert.equal(clock.pending, 3)
})

test('warm ends after the given time', async () => {
  const { checker, clock } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  const prepared = await checker.prepare({ users: service([1, 2], { timeout: 60_000 }) }, 0)
  let over = false
  const warmed = prepared.warm(5_000).then(() => (over = true))
  clock.advance(4_999)
  await new Promise(setImmediate)
  assert.equal(over, false)
  clock.advance(1)
  await warmed
})

test('a reload that adds nothing is warm at once', async () => {
  const { checker, clock } = setUp()
  checker.update({ users: service([1, 2]) })
  checker.start()
  const timers = clock.pending
  await (await checker.prepare({ users: service([2]) }, 0)).warm(5_000)
  assert.equal(clock.pending, timers)
})

test('a reload before start is warm at once', async () => {
  const { checker, clock } = setUp()
  checker.update({ users: service([1]) })
  await (await checker.prepare({ users: service([1, 2]) }, 0)).warm(5_000)
  assert.equal(clock.pending, 0)
})

test('stop also ends prepared checks, and the wait for them', async () => {
  const { checker, clock, open } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  const prepared = await checker.prepare({ users: service([2]) }, 1_000)
  const warmed = prepared.warm(5_000)
  checker.stop()
  await warmed
  assert.deepEqual([open.size, clock.pending], [0, 0])
  prepared.commit()
  clock.advance(1_000)
  assert.deepEqual([open.size, clock.pending], [0, 0])
})

test('a changed interval counts from the last check, and changed thresholds from the next one', () => {
  const { checker, clock, answer, started, states } = setUp()
  const slow = { interval: 60_000, unhealthyAfter: 3 }
  checker.update({ users: service([1], slow) })
  checker.start()
  answer(1, 200)
  clock.advance(60_000)
  answer(1, 500)
  clock.advance(8_000)
  checker.update({ users: service([1], { interval: 20_000, unhealthyAfter: 2 }) })
  const [report] = checker.report()[0]!.instances
  assert.deepEqual([report!.state, report!.failures], ['healthy', 1])
  clock.advance(11_999)
  assert.equal(started.length, 2)
  clock.advance(1)
  assert.equal(started.length, 3)
  assert.deepEqual(states(1, 500), ['unhealthy'])
})

test('a check in progress continues if only the interval changes, and a shorter interval applies', () => {
  const { checker, clock, answer, started, cancelled } = setUp()
  checker.update({ users: service([1], { interval: 60_000 }) })
  checker.start()
  checker.update({ users: service([1], { interval: 10_000 }) })
  assert.equal(cancelled(), 0)
  answer(1, 200)
  clock.advance(5_000)
  checker.update({ users: service([1], { interval: 1_000 }) })
  clock.advance(0)
  assert.equal(started.length, 2)
})

test('too many instances are rejected without effect', () => {
  const { checker, started } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  assert.throws(() => checker.update({ users: service([1, 2, 3, 4, 5, 6, 7, 8, 9]) }), RangeError)
  assert.equal(started.length, 1)
  assert.equal(checker.report()[0]!.instances.length, 1)
})
