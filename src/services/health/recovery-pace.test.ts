import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { seeded } from '../../../test/support/simulation.ts'
import { RecoveryPace } from './recovery-pace.ts'

/** How many checks there are of so many instances that fail at once, in the minute after the first eleven seconds. */
function checksOf(instances: number, interval: number): { inAll: number; mostInASecond: number; longestPause: number } {
  const clock = new ManualClock()
  const random = seeded(1)
  const pace = new RecoveryPace()
  const times: number[] = []
  let longestPause = 0
  for (let i = 0; i < instances; i++) {
    const check = (before: number): void => {
      if (clock.now() > 11_000) {
        times.push(clock.now())
        longestPause = Math.max(longestPause, clock.now() - before)
      }
      const now = clock.now()
      clock.after(pace.next(now, interval, 0.9 + 0.2 * random()) - now, () => check(now))
    }
    check(0)
  }
  clock.advance(71_000)
  const seconds = new Map<number, number>()
  for (const time of times) seconds.set(Math.floor(time / 1000), (seconds.get(Math.floor(time / 1000)) ?? 0) + 1)
  return { inAll: times.length, mostInASecond: Math.max(...seconds.values()), longestPause }
}

test('a few unhealthy instances are checked once a second', () => {
  for (const instances of [1, 10]) {
    const { inAll, longestPause } = checksOf(instances, 10_000)
    assert.ok(Math.abs(inAll / instances - 60) <= 3, `${inAll}`)
    assert.ok(longestPause <= 1_200, `${longestPause}`)
  }
})

test('an instance with a shorter interval is checked at that interval', () => {
  const { inAll } = checksOf(1, 200)
  assert.ok(Math.abs(inAll - 300) <= 15, `${inAll}`)
})

test('a thousand unhealthy instances are checked a hundred times a second, each at least once per interval', () => {
  const { mostInASecond, longestPause } = checksOf(1_000, 60_000)
  assert.ok(mostInASecond <= 101, `${mostInASecond}`)
  assert.ok(longestPause <= 12_000, `${longestPause}`)
})

test('with even more instances each is checked once per interval, plus at most a hundred checks a second', () => {
  const { inAll, longestPause } = checksOf(3_000, 10_000)
  assert.ok(longestPause <= 11_000, `${longestPause}`)
  assert.ok(inAll <= 400 * 60, `${inAll}`)
})
