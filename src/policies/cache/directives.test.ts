import assert from 'node:assert/strict'
import test from 'node:test'
import { fieldsOf, millisecondsOf, parseDirectives, parseTargeted, saysWhole, splitList } from './directives.ts'

test('names are compared without regard to case, and quotes are taken off', () => {
  const directives = parseDirectives('Max-Age="60", NO-STORE, ext="a, max-age=5", x=')
  assert.deepEqual(
    [...directives],
    [
      ['max-age', '60'],
      ['no-store', null],
      ['ext', 'a, max-age=5'],
      ['x', ''],
    ],
  )
})

test('the first of two counts', () =>
  assert.equal(millisecondsOf(parseDirectives('max-age=1, max-age=2'), 'max-age'), 1000))

for (const value of ["'60'", '60.0', '-60', 'x60', '60s', ' 60', ''])
  test(`max-age=${value} is no number: the reply is stale`, () =>
    assert.equal(millisecondsOf(parseDirectives(`max-age=${value}`), 'max-age'), 0))

test('a directive without a number, and one that is not there', () => {
  assert.equal(millisecondsOf(parseDirectives('max-age'), 'max-age'), 0)
  assert.equal(millisecondsOf(parseDirectives(undefined), 'max-age'), null)
  assert.equal(millisecondsOf(parseDirectives('max-age =60'), 'max-age'), null)
})

test('a number without end is as good as 68 years', () =>
  assert.equal(millisecondsOf(parseDirectives(`max-age=${'9'.repeat(40)}`), 'max-age'), 2 ** 31 * 1000))

test('private and no-cache may be about some fields only', () => {
  const directives = parseDirectives('no-cache="Set-Cookie, x", private')
  assert.deepEqual(fieldsOf(directives, 'no-cache'), ['Set-Cookie', 'x'])
  assert.equal(saysWhole(directives, 'no-cache'), false)
  assert.equal(saysWhole(directives, 'private'), true)
  assert.equal(saysWhole(directives, 'public'), false)
})

test('commas in quoted strings do not separate', () => {
  assert.deepEqual(splitList(' a ,, "b, \\" c" , d="e,f"'), ['a', '"b, \\" c"', 'd="e,f"'])
  assert.deepEqual(splitList(' , '), [])
})

test('a targeted field is a Dictionary', () => {
  assert.deepEqual(
    [...parseTargeted('max-age=60, private;x=1, no-cache="a", public=?0, ext=(1 "b")')!],
    [
      ['max-age', '60'],
      ['private', null],
      ['no-cache', 'a'],
    ],
  )
})

for (const value of [
  undefined,
  '',
  'max-age="60"',
  'max-age=60, &',
  'Max-Age=60',
  'max-age= 60',
  'max-age=60,',
  'a=(1',
  'a="',
])
  test(`the targeted field ${JSON.stringify(value)} says nothing`, () => assert.equal(parseTargeted(value), null))
