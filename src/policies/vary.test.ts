import assert from 'node:assert/strict'
import test from 'node:test'
import { Headers } from '../http/headers.ts'
import { addVary } from './vary.ts'

const cases: readonly [before: readonly string[], after: readonly string[]][] = [
  [[], ['Origin']],
  [['Accept'], ['Accept, Origin']],
  [['Accept', 'Cookie'], ['Accept, Cookie, Origin']],
  [['Accept, origin'], ['Accept, origin']],
  [
    ['Accept', 'ORIGIN'],
    ['Accept', 'ORIGIN'],
  ],
  [['X-Origin'], ['X-Origin, Origin']],
  [['*'], ['*']],
]

for (const [before, after] of cases)
  test(`Vary of ${JSON.stringify(before)} becomes ${JSON.stringify(after)}`, () => {
    const headers = Headers.of(before.map((value) => ['Vary', value]))
    addVary(headers, 'Origin')
    assert.deepEqual(headers.getAll('Vary'), after)
  })
