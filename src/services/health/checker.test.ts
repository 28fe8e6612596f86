import assert from 'node:assert/strict'
import test from 'node:test'
import { options, service, setUp } from '../../../test/support/health-checks.ts'

test('nothing is checked before the start, and all is unknown', () => {
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

test('the start checks every instance at once by the path of its service', () => {
  const { checker, started } = setUp()
  checker.update({ users: service([1, 2]), orders: service([3], { path: '/ready?deep=1' }) })
  checker.start()
  assert.deepEqual(
    started.map(({ authority, path }) => `${authority} ${path}`),
    ['127.0.0.1:1 /health', '127.0.0.1:2 /health', '127.0.0.1:3 /ready?deep=1'],
  )
})

test('a check names the host that requests to the service name', () => {
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

test('another host is used at once', () => {
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

test('instances of a service without checks are healthy and left in peace', () => {
  const { checker, clock, started, board } = setUp()
  const slots = checker.update({ users: service([1], false) })
  checker.start()
  clock.advance(60_000)
  assert.equal(started.length, 0)
  assert.equal(board.state(slots['users']!.get('127.0.0.1:1')!), 'healthy')
  assert.equal(checker.report()[0]!.instances[0]!.reason, 'checks are off')
})

test('an instance that stays keeps its state, its counts and its schedule through a new configuration', () => {
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

test('an instance that is taken out is checked no more, not even to the end', () => {
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

test('other options take effect at once, and their first result decides', () => {
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

test('checks can be switched off and on by a new configuration', () => {
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

test('an address that is named twice in a service is checked and reported once', () => {
  const { checker, started } = setUp()
  checker.update({ users: service([1, 1]) })
  checker.start()
  assert.equal(started.length, 1)
  assert.equal(checker.report()[0]!.instances.length, 1)
})

test('the first round is over when every instance has answered or run into its timeout', async () => {
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

test('stop calls off every check and every timer, and lets nobody wait for the first round', async () => {
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

test('what a reload adds is checked before it takes effect, and gets no requests until it has passed', async () => {
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

test('what is prepared changes nothing for what stays before it takes effect', async () => {
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

test('what was abandoned leaves no check, no timer and no trace in what is known', async () => {
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

test('a reload is warm when all that it adds has been checked', async () => {
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
  // What is left is the pause after each of the two checks, and the time-out of the first one.
  assert.equal(clock.pending, 3)
})

test('a reload waits no longer for what it adds than it was told to', async () => {
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

test('a reload waits for nothing before checks have begun', async () => {
  const { checker, clock } = setUp()
  checker.update({ users: service([1]) })
  await (await checker.prepare({ users: service([1, 2]) }, 0)).warm(5_000)
  assert.equal(clock.pending, 0)
})

test('stop ends what was prepared, too, and lets nobody wait for it', async () => {
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

test('another interval counts from the last check, and other thresholds from the next one; nothing is asked for it', () => {
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

test('a check under way ends as it began when only the interval changes, and a shorter one is not missed', () => {
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

test('too many instances are refused and change nothing', () => {
  const { checker, started } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  assert.throws(() => checker.update({ users: service([1, 2, 3, 4, 5, 6, 7, 8, 9]) }), RangeError)
  assert.equal(started.length, 1)
  assert.equal(checker.report()[0]!.instances.length, 1)
})
