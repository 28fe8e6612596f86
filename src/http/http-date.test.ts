import assert from 'node:assert/strict'
import test from 'node:test'
import { parseHttpDate } from './http-date.ts'

const NOW = Date.UTC(2026, 0, 1)

for (const [text, time] of [
  ['Sun, 06 Nov 1994 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['sun, 06 NOV 1994 08:49:37 gmt', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(1994, 10, 6, 8, 49, 37)],
  ['Sunday, 06-Nov-50 08:49:37 GMT', Date.UTC(2050, 10, 6, 8, 49, 37)],
  ['Sun Nov  6 08:49:37 1994', Date.UTC(1994, 10, 6, 8, 49, 37)],
] as const)
  test(`"${text}" is a date`, () => assert.equal(parseHttpDate(text, NOW), time))

for (const text of [
  undefined,
  '',
  '0',
  'Sun, 06 Nov 1994 08:49:37 UTC',
  'Sun, 06 Nov 94 08:49:37 GMT',
  'Sun 06 Nov 1994 08:49:37 GMT',
  'Sun, 6 Nov 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 8:49:37 GMT',
  'Sun, 32 Nov 1994 08:49:37 GMT',
  'Sun, 06 Xyz 1994 08:49:37 GMT',
  'Sun, 06 Nov 1994 24:00:00 GMT',
  'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
])
  test(`${JSON.stringify(text)} is not a date`, () => assert.equal(parseHttpDate(text, NOW), null))
