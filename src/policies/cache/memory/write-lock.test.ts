import assert from 'node:assert/strict'
import test from 'node:test'
import { WriteLock } from './write-lock.ts'

const LONG = 200

function locks() {
  const words = new Int32Array(new SharedArrayBuffer(4))
  return [new WriteLock(words, 0, 1), new WriteLock(words, 0, 2), new WriteLock(words, 0, 3)] as const
}

/** How often it was still for a millisecond. */
function stillFor(t: test.TestContext, work: () => void): number {
  const { mock } = t.mock.method(Atomics, 'wait', () => 'timed-out')
  work()
  const count = mock.callCount()
  mock.restore()
  return count
}

test('one thread at a time has the lock', () => {
  const [one, other] = locks()
  assert.ok(one.take(0))
  assert.ok(!other.take(0))
  one.release()
  assert.ok(other.take(0))
})

test('a thread that keeps the lock is waited for once, until the lock was to be had', (t) => {
  const [one, other, third] = locks()
  one.take(0)
  assert.equal(
    stillFor(t, () => other.take(LONG)),
    LONG,
  )
  assert.equal(
    stillFor(t, () => other.take(LONG)),
    0,
  )
  one.release()
  third.take(0)
  assert.equal(
    stillFor(t, () => other.take(LONG)),
    LONG,
  )
  third.release()
  assert.ok(other.take(0))
  other.release()
  one.take(0)
  assert.equal(
    stillFor(t, () => other.take(LONG)),
    LONG,
  )
})
