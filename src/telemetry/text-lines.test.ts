import assert from 'node:assert/strict'
import test from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import * as fc from 'fast-check'
import { inColor, plain } from './paint.ts'
import { textLine } from './text-lines.ts'
import { anyCharacter } from '../../test/support/text.ts'

/** The text of a line with these fields, without the time. */
function textOf(fields: object, paint = plain): string {
  const line = { level: 'info', timestamp: '2024-01-15T10:30:00.000Z', ...fields }
  return textLine(`${JSON.stringify(line)}\n`, paint).replace(/^\S+ /, '')
}

const REQUEST = {
  method: 'GET',
  url: 'http://shop.test/books/1',
  status_code: 200,
  duration_ms: 1.712,
  user_id: null,
  correlation_id: 'c-1',
  trace_id: null,
  user_agent: 'curl/8',
  ip_address: '192.0.2.1',
  route: 'books',
  service: 'books',
  instance: '127.0.0.1:8101',
  code: null,
  bytes: 12,
  message: 'API Gateway Request',
}

const requests = [
  [{ cache: 'hit' }, '200 GET /books/1 1.7ms books → :8101 HIT'],
  [{ cache: 'uri-miss', instance: '10.0.0.7:8001' }, '200 GET /books/1 1.7ms books → 10.0.0.7:8001 MISS'],
  [{ cache: 'bypass' }, '200 GET /books/1 1.7ms books → :8101 BYPASS'],
  [{ service: null, instance: null, route: 'hello' }, '200 GET /books/1 1.7ms hello'],
  [{ duration_ms: 250.4 }, '200 GET /books/1 250ms books → :8101'],
  [{ duration_ms: 3251 }, '200 GET /books/1 3.25s books → :8101'],
  [{ user_id: 'ann' }, '200 GET /books/1 1.7ms books → :8101 by ann'],
  [{ url: '/books/1' }, '200 GET /books/1 1.7ms books → :8101'],
  [{ url: 'https://[::1]:8443/books/1?a=http://b/c' }, '200 GET /books/1?a=http://b/c 1.7ms books → :8101'],
  [{ idempotency: 'replayed' }, '200 GET /books/1 1.7ms books → :8101 idempotency=replayed'],
  [{ attempts: 2, retried: 'connect' }, '200 GET /books/1 1.7ms books → :8101 2 attempts (connect)'],
  [{ status_code: 429, instance: null, code: 'rate-limited' }, '429 GET /books/1 1.7ms books rate-limited'],
  [
    { level: 'error', status_code: 503, code: 'service-unavailable' },
    '503 GET /books/1 1.7ms books → :8101 service-unavailable correlation_id=c-1',
  ],
] as const

for (const [fields, expected] of requests)
  test(`a request is written as ${expected}`, () => {
    assert.equal(textOf({ ...REQUEST, ...fields }), `${expected}\n`)
  })

test('other lines have their level, message and remaining fields', () => {
  const fields = { listeners: ['127.0.0.1:8000'], admin: null, detail: 'not so', n: 2, message: 'Hello' }
  assert.equal(textOf(fields), 'INFO  Hello listeners=[127.0.0.1:8000] detail="not so" n=2\n')
})

test('an error of the gateway is shown with its stack, and one of a service with its cause only', () => {
  const error = { type: 'Error', message: 'no', stack: 'Error: no\n    at a.ts:1:1' }
  assert.equal(
    textOf({ level: 'error', error, message: 'Failed' }),
    'ERROR Failed\n    Error: no\n        at a.ts:1:1\n',
  )
  assert.equal(textOf({ level: 'warn', cause: 'refused', error, message: 'Failed' }), 'WARN  Failed cause=refused\n')
  assert.equal(textOf({ level: 'warn', error, message: 'Failed' }), 'WARN  Failed\n    no\n')
})

test('colors surround texts and never change them', () => {
  const colored = textOf({ ...REQUEST, cache: 'hit', user_id: 'ann' }, inColor)
  assert.ok(colored.includes('\x1b[32m200\x1b[0m '))
  assert.equal(stripVTControlCharacters(colored), textOf({ ...REQUEST, cache: 'hit', user_id: 'ann' }))
})

test('property: a line never spans several lines, except for stacks, and has no control characters', () => {
  const text = fc.string({ unit: anyCharacter })
  const fields = fc.dictionary(text, fc.oneof(text, fc.double(), fc.array(text), fc.constant(null)))
  const request = fc.record(Object.fromEntries(Object.keys(REQUEST).map((name) => [name, text])))
  fc.assert(
    fc.property(fields, request, text, fc.boolean(), (others, asked, stack, isAccess) => {
      const error = { stack, message: stack }
      const line = isAccess
        ? textOf({ ...others, ...asked, level: 'info', message: 'API Gateway Request' })
        : textOf({ ...others, level: 'error', error, message: asked['url'] })
      assert.ok(line.endsWith('\n'))
      for (const [i, each] of line.slice(0, -1).split('\n').entries()) {
        assert.doesNotMatch(each, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
        assert.ok(i === 0 || (!isAccess && each.startsWith('    ')))
      }
    }),
  )
})
