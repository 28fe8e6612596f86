import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { createMemoryLogger } from './memory-logger.ts'
import { Refusals } from './refusals.ts'

function setUp() {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('info', clock)
  return { clock, lines, refusals: new Refusals(clock, log) }
}

test('each reason is logged once a second, however many requests are rejected', () => {
  const { clock, lines, refusals } = setUp()
  for (let i = 0; i < 1000; i++) refusals.add('too-busy', i % 4 === 0 ? 'orders' : 'users')
  refusals.add('limits-unavailable', 'users')
  clock.advance(999)
  assert.equal(lines.length, 0)
  clock.advance(1)
  const reported = lines.map(({ level, code, requests, routes, message }) => ({
    level,
    code,
    requests,
    routes,
    message,
  }))
  const message = 'Requests were refused'
  assert.deepEqual(reported, [
    { level: 'warn', code: 'too-busy', requests: 1000, routes: { users: 750, orders: 250 }, message },
    { level: 'warn', code: 'limits-unavailable', requests: 1, routes: { users: 1 }, message },
  ])
  clock.advance(5000)
  assert.equal(lines.length, 2)
  assert.equal(clock.pending, 0)
})

test('a line names the routes with the most rejections', () => {
  const { clock, lines, refusals } = setUp()
  for (let route = 0; route < 100; route++) for (let i = 0; i <= route; i++) refusals.add('too-busy', `r${route}`)
  clock.advance(1000)
  const { requests, routes } = lines[0]!
  assert.equal(requests, 5050)
  assert.deepEqual(routes, Object.fromEntries(Array.from({ length: 10 }, (_, i) => [`r${99 - i}`, 100 - i])))
})

test('pending rejections are logged at the end', () => {
  const { clock, lines, refusals } = setUp()
  refusals.flush()
  assert.equal(lines.length, 0)
  refusals.add('keys-unavailable', 'users')
  refusals.flush()
  assert.equal(lines.length, 1)
  assert.equal(clock.pending, 0)
})
