import assert from 'node:assert/strict'
import test from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Attempts } from './attempts.ts'

function make() {
  const clock = new ManualClock()
  const attempts = new Attempts(clock)
  /** How many of twenty attempts are refused. */
  const refused = (each: (i: number) => readonly [address: string, name: string]): number =>
    Array.from({ length: 20 }, (_, i) => {
      try {
        attempts.take(...each(i))
        return 0
      } catch (error) {
        assert.ok(error instanceof Error && 'code' in error && error.code === 'rate-limited')
        return 1
      }
    }).reduce<number>((sum, one) => sum + one, 0)
  return { clock, attempts, refused }
}

test('an address has ten attempts a minute, whatever the names', () => {
  const { clock, attempts, refused } = make()
  assert.equal(
    refused((i) => ['192.0.2.1', `user-${i}`]),
    10,
  )
  clock.advance(59_000)
  assert.throws(() => attempts.take('192.0.2.1', 'ada'), { headers: [['Retry-After', '1']] })
  attempts.take('192.0.2.2', 'ada')
  clock.advance(1000)
  attempts.take('192.0.2.1', 'ada')
})

test('a name has ten attempts a minute, whatever the addresses', () => {
  const { clock, attempts, refused } = make()
  assert.equal(
    refused((i) => [`192.0.2.${i}`, 'ada']),
    10,
  )
  attempts.take('192.0.2.99', 'bob')
  clock.advance(60_000)
  attempts.take('192.0.2.1', 'ada')
})

test('an IPv6 /64 network counts as one address', () => {
  const { refused } = make()
  assert.equal(
    refused((i) => [`2001:db8::${i}`, `user-${i}`]),
    10,
  )
  assert.equal(
    refused((i) => [`2001:db8:0:${i}::1`, `other-${i}`]),
    // One of them is the network from before.
    1,
  )
})
