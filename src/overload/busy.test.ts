import assert from 'node:assert/strict'
import test from 'node:test'
import { busyMeter } from './busy.ts'

test('a thread that does not wait for events and has no processor either is not busy', () => {
  const busy = busyMeter()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50)
  assert.equal(busy(), 0)
})
