import assert from 'node:assert/strict'
import test from 'node:test'
import { makeCacheEntry } from '../../../test/support/cache-entry.ts'
import { Headers } from '../../http/headers.ts'
import { select, selectingValues, varyOf } from './vary.ts'

const headers = (...pairs: [string, string][]): Headers => Headers.of(pairs)

test('the names of all Vary lines, once, in lower case and in order', () => {
  assert.deepEqual(varyOf(headers(['Vary', 'B, a'], ['Vary', 'A,, c'])), ['a', 'b', 'c'])
  assert.deepEqual(varyOf(headers()), [])
})

for (const value of ['*', 'a, *', ', *', '*, *', 'X-Forwarded-For', 'a, x-forwarded-for', 'TE', 'traceparent'])
  test(`Vary: ${value} depends on what no request shows`, () => assert.equal(varyOf(headers(['Vary', value])), null))

const matches = (name: string, stored: Headers, asked: Headers, language: string | null = null): boolean => {
  const entry = makeCacheEntry({ vary: [name], selecting: selectingValues([name], stored), language })
  return select([entry], asked) === entry
}

for (const [stored, asked, same] of [
  ['1, 2', '1,2', true],
  ['1', '2', false],
  ['a', 'A', false],
  ['"a, b"', '"a,b"', false],
] as const)
  test(`Foo: ${stored} and Foo: ${asked} select ${same ? 'the same' : 'differently'}`, () =>
    assert.equal(matches('foo', headers(['Foo', stored]), headers(['Foo', asked])), same))

test('several lines are the same as one list', () =>
  assert.equal(matches('foo', headers(['Foo', '1, 2']), headers(['Foo', '1'], ['Foo', '2'])), true))

test('no field is not an empty one', () => {
  assert.equal(matches('foo', headers(), headers(['Foo', ''])), false)
  assert.equal(matches('foo', headers(), headers()), true)
})

test('neither order nor case nor spaces count where they mean nothing', () => {
  const ask = (value: string): Headers => headers(['Accept-Language', value])
  assert.equal(matches('accept-language', ask('en, de;q=0.5'), ask('DE ; q=0.5 ,en')), true)
  assert.equal(matches('accept-language', ask('en, de;q=0.5'), ask('en;q=0.5, de')), false)
})

test('a reply in the one language that the client likes best will do', () => {
  const ask = (value: string): Headers => headers(['Accept-Language', value])
  assert.equal(matches('accept-language', ask('en, de'), ask('fr;q=0.5, de'), 'de'), true)
  assert.equal(matches('accept-language', ask('en, de'), ask('fr, de'), 'de'), false)
  assert.equal(matches('accept-language', ask('en, de'), ask('fr, de;q=0.5'), 'de'), false)
})
