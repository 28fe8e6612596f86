import assert from 'node:assert/strict'
import test from 'node:test'
import { parseRate, rates } from './rate.ts'

test('a rate is a number of requests per time', () => {
  assert.deepEqual(parseRate('10/s'), { limit: 10, window: 1000 })
  assert.deepEqual(parseRate('100/m'), { limit: 100, window: 60_000 })
  assert.deepEqual(parseRate('1000/h'), { limit: 1000, window: 3_600_000 })
  assert.deepEqual(parseRate('5/d'), { limit: 5, window: 86_400_000 })
  assert.deepEqual(parseRate('500/10m'), { limit: 500, window: 600_000 })
  assert.deepEqual(parseRate('1/31d'), { limit: 1, window: 31 * 86_400_000 })
})

test('other texts are not rates', () => {
  for (const text of [
    '',
    '10',
    '/s',
    '10/',
    '0/s',
    '10/0s',
    '-1/s',
    '1.5/s',
    '10/ms',
    '10/w',
    '1/32d',
    '10 / s',
    '10/S',
  ])
    assert.equal(parseRate(text), undefined, text)
})

test('one rate, several and none become lists of quotas', () => {
  assert.deepEqual(rates.parse('10/s'), [{ limit: 10, window: 1000 }])
  assert.deepEqual(rates.parse(['10/s', '100/m']), [
    { limit: 10, window: 1000 },
    { limit: 100, window: 60_000 },
  ])
  assert.deepEqual(rates.parse(false), [])
})

test('two rates with the same window are rejected', () => {
  assert.equal(rates.safeParse(['10/m', '20/60s']).success, false)
})
