import assert from 'node:assert/strict'
import test from 'node:test'
import { duplicatesOf } from './duplicates.ts'

test('each repeated value is listed with its first position', () => {
  assert.deepEqual(duplicatesOf(['a', 'b', 'a', 'c', 'b', 'a']), [
    [2, 0],
    [4, 1],
    [5, 0],
  ])
  assert.deepEqual(duplicatesOf(['a', 'A', 1, '1']), [])
})
