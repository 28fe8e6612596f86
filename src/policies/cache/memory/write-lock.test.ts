import assert from 'node:assert/strict'
import test from 'node:test'
import { WriteLock } from './write-lock.ts'

const LONG = 200

function locks() {
  const words = new Int32Array(new SharedArrayBuffer(4))
  return [new WriteLock(words, 0, 1), new WriteLock(words, 0, 2), new WriteLock(words, 0, 3)] as const
}

/** How often it blocked for a millisecond. */
function blocks(t: test.TestContext, work: () => void): number {
  const { mock } = t.mock.method(Atomics, 'wait', () => 'timed-out')
  work()
  const count = mock.callCount()
  mock.restore()
  return count
}

test('one thread at a time holds the lock', () => {
  const [one, other] = locks()
  assert.ok(one.acquire(0))
  assert.ok(!other.acquire(0))
  one.release()
  assert.ok(other.acquire(0))
})

test('a thread blocks once for an owner that does not release the lock, until it has had the lock itself', (t) => {
  const [one, other, third] = locks()
  one.acquire(0)
  assert.equal(
    blocks(t, () => other.acquire(LONG)),
    LONG,
  )
  assert.equal(
    blocks(t, () => other.acquire(LONG)),
    0,
  )
  one.release()
  third.acquire(0)
  assert.equal(
    blocks(t, () => other.acquire(LONG)),
    LONG,
  )
  third.release()
  assert.ok(other.acquire(0))
  other.release()
  one.acquire(0)
  assert.equal(
    blocks(t, () => other.acquire(LONG)),
    LONG,
  )
})
