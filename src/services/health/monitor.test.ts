import assert from 'node:assert/strict'
import test from 'node:test'
import { service, setUp } from '../../../test/support/health-checks.ts'

test('the first result decides', () => {
  const { checker, answer, board } = setUp()
  const slots = checker.update({ users: service([1, 2], { unhealthyAfter: 3, healthyAfter: 3 }) })
  checker.start()
  answer(1, 200)
  answer(2, 500)
  assert.deepEqual(
    [...slots['users']!.values()].map((slot) => board.state(slot)),
    ['healthy', 'unhealthy'],
  )
})

test('a healthy instance becomes unhealthy after the configured number of consecutive failures', () => {
  const { checker, states } = setUp()
  checker.update({ users: service([1], { unhealthyAfter: 3 }) })
  checker.start()
  assert.equal(states(1, 200, 500, 500, 200, 500, new Error('reset'), 500).indexOf('unhealthy'), 6)
})

test('an unhealthy instance becomes healthy after the configured number of consecutive successes', () => {
  const { checker, states } = setUp()
  checker.update({ users: service([1], { healthyAfter: 2 }) })
  checker.start()
  assert.equal(states(1, 500, 200, 500, 200, 200).indexOf('healthy'), 4)
})

test('only the configured status codes are successes', () => {
  const { checker, states } = setUp()
  checker.update({ users: service([1], { status: [204, 429], unhealthyAfter: 1 }) })
  checker.start()
  assert.deepEqual(states(1, 204, 200, 429, 302), ['healthy', 'unhealthy', 'healthy', 'unhealthy'])
})

test('a check that times out counts as failed', () => {
  const { checker, clock, cancelled, open } = setUp()
  checker.update({ users: service([1], { timeout: 700 }) })
  checker.start()
  clock.advance(699)
  assert.equal(cancelled(), 0)
  clock.advance(1)
  assert.equal(cancelled(), 1)
  assert.equal(open.size, 0)
  const [report] = checker.report()[0]!.instances
  assert.equal(report!.state, 'unhealthy')
  assert.equal(report!.reason, 'no complete answer within 700 ms')
  assert.equal(report!.duration, 700)
})

test('an answer in time cancels the timeout', () => {
  const { checker, clock, cancelled, answer } = setUp()
  checker.update({ users: service([1], { interval: 60_000 }) })
  checker.start()
  answer(1, 200)
  clock.advance(30_000)
  assert.equal(cancelled(), 0)
  assert.equal(checker.report()[0]!.instances[0]!.state, 'healthy')
})

for (const [draw, pause] of [
  [0, 9_000],
  [0.5, 10_000],
  [0.75, 10_500],
] as const)
  test(`the next check starts ${pause} ms after the end of the last for a random ${draw}`, () => {
    const { checker, clock, answer, started } = setUp(() => draw)
    checker.update({ users: service([1]) })
    checker.start()
    clock.advance(4_000)
    answer(1, 200)
    clock.advance(pause - 1)
    assert.equal(started.length, 1)
    clock.advance(1)
    assert.equal(started.length, 2)
  })

test('an unhealthy instance is checked every second until it recovers, with a tenth of jitter', () => {
  for (const [draw, pause] of [
    [0, 900],
    [0.5, 1_000],
  ] as const) {
    const { checker, clock, answer, started } = setUp(() => draw)
    checker.update({ users: service([1], { healthyAfter: 2 }) })
    checker.start()
    for (const [count, outcome] of [500, new Error('refused'), 200, 500, 200].entries()) {
      answer(1, outcome)
      clock.advance(pause - 1)
      assert.equal(started.length, count + 1)
      clock.advance(1)
      assert.equal(started.length, count + 2)
    }
    answer(1, 200)
    clock.advance(8_999)
    assert.equal(started.length, 6)
  }
})

test('a failure below the threshold does not speed up checks', () => {
  const { checker, clock, answer, started } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  answer(1, 200)
  clock.advance(10_000)
  answer(1, 500)
  clock.advance(9_999)
  assert.equal(started.length, 2)
})

test('an interval shorter than a second applies, healthy or not', () => {
  const { checker, clock, answer, started } = setUp()
  checker.update({ users: service([1], { interval: 300 }) })
  checker.start()
  answer(1, 500)
  clock.advance(300)
  assert.equal(started.length, 2)
})

test('the report has the result and time of the last check, and the time of the last change', () => {
  const { checker, clock, answer } = setUp()
  const origin = clock.wall()
  checker.update({ users: service([1]) })
  checker.start()
  clock.advance(40)
  answer(1, 200)
  clock.advance(10_000)
  clock.advance(25)
  answer(1, new Error('connect ECONNREFUSED 127.0.0.1:1'))
  assert.deepEqual(checker.report()[0]!.instances[0], {
    address: '127.0.0.1:1',
    state: 'healthy',
    drained: false,
    ejection: null,
    failures: 1,
    reason: 'connect ECONNREFUSED 127.0.0.1:1',
    since: origin + 40,
    checkedAt: origin + 10_065,
    duration: 25,
  })
  clock.advance(10_000)
  answer(1, 503)
  assert.deepEqual(checker.report()[0]!.instances[0], {
    address: '127.0.0.1:1',
    state: 'unhealthy',
    drained: false,
    ejection: null,
    failures: 2,
    reason: 'unexpected status 503',
    since: origin + 20_065,
    checkedAt: origin + 20_065,
    duration: 0,
  })
  clock.advance(10_000)
  answer(1, 200)
  assert.equal(checker.report()[0]!.instances[0]!.failures, 0)
})

test('the reason lists each refused address of a name', () => {
  const { checker, answer } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  answer(
    1,
    new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('connect ECONNREFUSED 127.0.0.1:1')]),
  )
  const { reason } = checker.report()[0]!.instances[0]!
  assert.equal(reason, 'connect ECONNREFUSED ::1:1, connect ECONNREFUSED 127.0.0.1:1')
})

test('a change of state is logged once, with its reason', () => {
  const { checker, states, lines } = setUp()
  checker.update({ users: service([1]) })
  checker.start()
  states(1, 200, 200, 500, 500, 500, 500, 200, 200)
  const fields = { service: 'users', instance: '127.0.0.1:1' }
  assert.deepEqual(lines, [
    { level: 'info', message: 'instance is healthy', fields: { ...fields, reason: 'status 200' } },
    { level: 'warn', message: 'instance is unhealthy', fields: { ...fields, reason: 'unexpected status 500' } },
    { level: 'info', message: 'instance is healthy', fields: { ...fields, reason: 'status 200' } },
  ])
})
