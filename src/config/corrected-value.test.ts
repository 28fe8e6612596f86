import assert from 'node:assert/strict'
import test from 'node:test'
import { correctedValue } from './corrected-value.ts'

const DURATION = 'expected a duration such as "10s"'
const RATE = 'expected false or a rate such as "10/s" or a list'
const URL = 'expected a URL such as "http://user-service-1:8001"'
const SIZE = 'expected a size above 0 such as "512b"'

for (const [expected, value, meant] of [
  [DURATION, 30, '"30s"'],
  [DURATION, '30', '"30s"'],
  [DURATION, '30 s', '"30s"'],
  [DURATION, '30S', '"30s"'],
  [DURATION, '30secs', '"30s"'],
  [DURATION, '5 minutes', '"5m"'],
  [DURATION, '500MS', '"500ms"'],
  [DURATION, '2hrs', '"2h"'],
  [DURATION, 'soon', undefined],
  [DURATION, '1.5s', undefined],
  [DURATION, '3 days', '"3d"'],
  [DURATION, '3 weeks', undefined],
  [DURATION, null, undefined],
  [RATE, '100/minute', '"100/m"'],
  [RATE, '10 / s', '"10/s"'],
  [RATE, '10 / m', '"10/m"'],
  [RATE, '5 per day', '"5/d"'],
  [RATE, '1000/hours', '"1000/h"'],
  [RATE, '100/month', undefined],
  [RATE, '0/h', undefined],
  [RATE, 100, undefined],
  [SIZE, '10MB', '"10mb"'],
  [SIZE, '10m', '"10mb"'],
  [SIZE, '8 KiB', '"8kb"'],
  [SIZE, '2 bytes', '"2b"'],
  [SIZE, 65536, '"65536b"'],
  [SIZE, 16, undefined],
  [URL, 'users:8001', '"http://users:8001"'],
  [URL, '[::1]:8001', '"http://[::1]:8001"'],
  [URL, 'users', undefined],
  [URL, 'ftp://users:21', undefined],
  ['expected a list', '*', '["*"]'],
  ['expected a list', 5, undefined],
  ['expected a list', 'x'.repeat(81), undefined],
  ['expected a number', '5', '5'],
  ['expected a whole number', 'five', undefined],
  ['expected true or false', 'yes', 'true'],
  ['expected true or false', 'Off', 'false'],
  ['expected true or false', 'maybe', undefined],
  ['expected false or a map with "a"', true, '{}'],
  ['expected text', true, undefined],
] as const)
  test(`${JSON.stringify(value)} for ${expected} gets the suggestion ${meant ?? 'null'}`, () => {
    assert.equal(correctedValue(expected, value), meant)
  })
