import assert from 'node:assert/strict'
import test from 'node:test'
import { type CacheRuns, cacheSection } from './cache-section.ts'

const run = (store: 'memory' | 'redis', options: object, passed: number): CacheRuns[number] => ({
  store,
  options: { ...options },
  groups: [
    { group: 'Vary', counts: { required: [passed, 8], optimal: [0, 0] } },
    { group: 'Pragma', counts: { required: [0, 0], optimal: [0, 0] } },
    { group: 'all', counts: { required: [passed, 8], optimal: [1, 2] } },
  ],
})

test('each group has a row for the first options, and other options share one row', () => {
  const text = cacheSection([run('memory', {}, 7), run('redis', {}, 6), run('memory', { a: 1 }, 8)])
  assert.doesNotMatch(text, /Pragma/)
  assert.match(text, /\| Vary \| 7 of 8 \|  \| 6 of 8 \|  \|/)
  assert.match(text, /\| all \| 7 of 8 \| 1 of 2 \| 6 of 8 \| 1 of 2 \|/)
  assert.match(text, /\| all, with `\{"a":1\}` \| 8 of 8 \| 1 of 2 \| – \| – \|/)
})

test('what was not run is not reported', () => {
  assert.equal(cacheSection([]), 'Not measured.')
})
