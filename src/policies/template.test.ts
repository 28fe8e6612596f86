import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { makeExchange } from '../../test/support/exchange.ts'
import { isFieldValue } from '../core/field.ts'
import { Headers } from '../http/headers.ts'
import { compileTemplate, templateText } from './template.ts'
import { anyCharacter } from '../../test/support/text.ts'

const exchange = makeExchange({
  query: '?page=2&name=J%C3%BCrgen+M&empty=&page=3',
  headers: Headers.of([
    ['User-Agent', 'curl/8'],
    ['Accept', 'a/b'],
    ['accept', 'c/d'],
  ]),
  consumer: {
    id: 'u-1',
    roles: ['admin', 'staff'],
    tier: 'authenticated',
    scopes: [],
    key: null,
    claims: {
      tenant: 'Jürgen & Co',
      level: 3,
      beta: false,
      'https://example.com/org': 'o-1',
      org: { name: 'Acme', ids: [1, 2] },
      nothing: null,
    },
  },
  correlationId: 'c-1',
})

const cases: Record<string, string> = {
  '': '',
  'plain text': 'plain text',
  '{method} {path}': 'GET /api/v1/users/7',
  '{host}|{service}|{route.id}': 'api.example.com|user-service|users',
  '{client.scheme}://{client.address}': 'http://192.0.2.1',
  '{consumer.id}:{consumer.roles}:{consumer.tier}': 'u-1:admin,staff:authenticated',
  '{correlation.id}': 'c-1',
  '{header.user-agent}': 'curl/8',
  '{header.Accept}': 'a/b, c/d',
  '[{header.X-Absent}]': '[]',
  '{query.page}': '2',
  '{query.name}': 'J%C3%BCrgen M',
  '[{query.empty}{query.absent}]': '[]',
  '{path.id}': '7',
  '[{path.absent}{path.toString}]': '[]',
  '{claim.tenant}|{claim.level}|{claim.beta}': 'J%C3%BCrgen & Co|3|false',
  '{claim.https://example.com/org} {claim.org.name}': 'o-1 Acme',
  '[{claim.absent}{claim.nothing}{claim.org}{claim.org.ids}{claim.toString}{claim.tenant.length}]': '[]',
  '{{literal}}': '{literal}',
  '{{{method}}}': '{GET}',
  '{{"id": "{path.id}"}}': '{"id": "7"}',
  '$5 {{ }}': '$5 { }',
}

for (const [text, value] of Object.entries(cases))
  test(`the template ${JSON.stringify(text)} expands to ${JSON.stringify(value)}`, () => {
    assert.equal(compileTemplate(text)(exchange), value)
    assert.ok(templateText.safeParse(text).success)
  })

test('values that a request does not have are empty', () => {
  const bare = makeExchange({ route: { id: 'r', pattern: '/', service: null } })
  assert.equal(
    compileTemplate('{service}{consumer.id}{consumer.roles}{consumer.tier}{claim.sub}{correlation.id}')(bare),
    '',
  )
})

for (const text of [
  '{nope}',
  '{}',
  '{header.}',
  '{header.a b}',
  '{query}',
  '{query.}',
  '{path.}',
  '{claim.}',
  '{claims.sub}',
  '{user.id}',
  '{toString}',
])
  test(`the unknown placeholder in ${text} is rejected with the list of known ones`, () => {
    const message = templateText.safeParse(text).error?.issues[0]?.message ?? ''
    assert.ok(message.startsWith(`unknown placeholder ${text}; allowed are {method} {path} `), message)
    assert.ok(message.endsWith('{header.NAME} {query.NAME} {path.NAME}'), message)
  })

for (const text of ['{method', 'method}', '{a{b}', '{{method}', '}'])
  test(`the unpaired brace in ${text} is rejected`, () => {
    assert.match(templateText.safeParse(text).error?.issues[0]?.message ?? '', /a single "[{}]": write "(?:\{\{|\}\})"/)
  })

for (const text of ['a\r\nb', 'a\0b', 'a\tb', 'caf\u00e9'])
  test(`the literal ${JSON.stringify(text)} is rejected`, () => {
    assert.match(templateText.safeParse(text).error?.issues[0]?.message ?? '', /other than visible ASCII/)
  })

test('a line break in a value is percent-encoded, so it cannot start a header', () => {
  const forged = makeExchange({ params: { id: '7\r\nX-Admin: 1\0' } })
  assert.equal(compileTemplate('{path.id}')(forged), '7%0D%0AX-Admin: 1%00')
})

test('a lone surrogate in a value becomes the replacement character', () => {
  assert.equal(compileTemplate('{path.id}')(makeExchange({ params: { id: 'a\ud800b' } })), 'a%EF%BF%BDb')
})

test('property: any value of a request is valid in a header', () => {
  const anything = fc.string({ unit: anyCharacter })
  const template = compileTemplate(
    '<{path.id}{query.q}{consumer.id}{consumer.roles}{consumer.tier}{claim.id}{claim.other}{path}{host}{method}>',
  )
  fc.assert(
    fc.property(anything, anything, anything, (id, other, path) => {
      const consumer = { id, roles: [other, id], tier: other, scopes: [], key: null, claims: { id, other } }
      const parts = {
        params: { id },
        query: `?q=${encodeURIComponent(other.toWellFormed())}`,
        consumer,
        path,
        host: id,
        method: other,
      }
      assert.ok(isFieldValue(template(makeExchange(parts))))
    }),
  )
})
