import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import type { Exchange } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { type CdnFields, compileFields } from './reply-fields.ts'

type Fields = [name: string, value: string][]

const CONSUMER = { id: 'u', roles: [], scopes: [], tier: 'authenticated', key: null, claims: {} }
const anybody = (): Exchange => makeExchange()
const known = (): Exchange => makeExchange({ consumer: CONSUMER })
const withCookie = (): Exchange => makeExchange({ headers: Headers.of([['Cookie', 'session=1']]) })
const control = { field: 'CDN-Cache-Control', value: 'max-age=3600' }

/** The fields of a reply, as the CDN gets them. */
function told(
  fields: Fields,
  exchange: Exchange,
  options: Partial<CdnFields> = {},
  status = 200,
): Record<string, string> {
  const reply = new Reply(status, Headers.of(fields), null)
  compileFields({ control: null, tags: null, ...options })(reply, exchange)
  return Object.fromEntries(
    Array.from(reply.headers, ([name]) => [name.toLowerCase(), reply.headers.combined(name) ?? '']),
  )
}

test('a reply for a known consumer is private unless the service marks it as public', () => {
  const field = (value: string | null, exchange = known()) =>
    told(value === null ? [] : [['Cache-Control', value]], exchange)['cache-control']
  assert.equal(field(null), 'private')
  assert.equal(field('max-age=60'), 'max-age=60, private')
  assert.equal(field('public, max-age=60'), 'public, max-age=60')
  assert.equal(field('s-maxage=60'), 's-maxage=60')
  assert.equal(field('no-store'), 'no-store')
  assert.equal(field(null, withCookie()), 'private')
  assert.equal(field('max-age=60', withCookie()), 'max-age=60')
  assert.equal(field(null, anybody()), undefined)
})

test('Cache-Control variants for specific caches are made private as well', () => {
  const fields: Fields = [
    ['Cache-Control', 'max-age=0'],
    ['CDN-Cache-Control', 'max-age=60'],
    ['Surrogate-Control', 'public, max-age=60'],
  ]
  assert.deepEqual(told(fields, known()), {
    'cache-control': 'max-age=0, private',
    'cdn-cache-control': 'max-age=60, private',
    'surrogate-control': 'public, max-age=60',
  })
})

test('a reply that sets a cookie is always private', () => {
  const reply = told(
    [
      ['Set-Cookie', 'a=1'],
      ['Cache-Control', 'public, max-age=60, s-maxage=90'],
    ],
    anybody(),
    { control },
  )
  assert.deepEqual(reply, { 'set-cookie': 'a=1', 'cache-control': 'max-age=60, private' })
})

test('the configured Cache-Control is set on replies for anonymous callers without their own', () => {
  const says = (fields: Fields, exchange = anybody(), status = 200) =>
    told(fields, exchange, { control }, status)['cdn-cache-control']
  assert.equal(says([]), 'max-age=3600')
  assert.equal(says([['Cache-Control', 'max-age=5']]), 'max-age=3600')
  assert.equal(says([['CDN-Cache-Control', 'max-age=1']]), 'max-age=1')
  assert.equal(says([['Surrogate-Control', 'max-age=1']]), undefined)
  for (const value of ['private', 'no-store', 'no-cache', 'max-age=5, private="x-a"'])
    assert.equal(says([['Cache-Control', value]]), undefined, value)
  assert.equal(says([['Vary', '*']]), undefined)
  assert.equal(says([], known()), undefined)
  assert.equal(says([], withCookie()), undefined)
  assert.equal(says([], makeExchange({ method: 'POST' })), undefined)
  assert.equal(says([], anybody(), 500), undefined)
})

test('cache groups become tags, with separators encoded', () => {
  const fields: Fields = [['Cache-Groups', '"shoes", "a b,c", "50%"']]
  assert.equal(told(fields, anybody(), { tags: 'Cache-Tag' })['cache-tag'], 'shoes,a%20b%2Cc,50%25')
  assert.equal(
    told([...fields, ['Surrogate-Key', 'own shoes']], anybody(), { tags: 'Surrogate-Key' })['surrogate-key'],
    'own shoes a%20b%2Cc 50%25',
  )
  assert.equal(
    told([['Cache-Groups', 'not a list of strings']], anybody(), { tags: 'Cache-Tag' })['cache-tag'],
    undefined,
  )
  const many = told([['Cache-Groups', Array.from({ length: 5_000 }, (_, i) => `"group-${i}"`).join(', ')]], anybody(), {
    tags: 'Cache-Tag',
  })
  assert.ok((many['cache-tag'] ?? '').length <= 16_000)
})
