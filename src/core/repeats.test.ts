import assert from 'node:assert/strict'
import test from 'node:test'
import { repeatsOf } from './repeats.ts'

test('each repeated value is listed with its first position', () => {
  assert.deepEqual(repeatsOf(['a', 'b', 'a', 'c', 'b', 'a']), [
    [2, 0],
    [4, 1],
    [5, 0],
  ])
  assert.deepEqual(repeatsOf(['a', 'A', 1, '1']), [])
})
