import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import type { z } from 'zod'
import { CollectingSink, PushedBody } from '../../../test/support/bodies.ts'
import { makeExchange } from '../../../test/support/exchange.ts'
import { applyPolicy } from '../../../test/support/policy.ts'
import { Bytes } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { Headers, headersFromWire } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { transform } from './policy.ts'
import { anyCharacter } from '../../../test/support/text.ts'

type Options = z.input<typeof transform.options>
const JSON_TYPE = Headers.of([['Content-Type', 'application/json; charset=utf-8']])

/** The exchange as the service got it, and the reply that came of it. */
async function run(options: Options, exchange: Exchange, answer = new Reply(200, Headers.of(), null)) {
  let seen = { path: '', query: '', headers: '', body: '' }
  const reply = await applyPolicy(transform, options, ({ path, query, headers, body }) => {
    seen = {
      path,
      query,
      headers: headers.toWire(),
      body: body instanceof Bytes ? body.toText() : String(body?.length),
    }
    return answer
  })(exchange)
  return { seen, reply, body: reply.body instanceof Bytes ? reply.body.toText() : reply.body }
}

function refused(code: string) {
  return (error: unknown) => error instanceof GatewayError && error.code === code
}

const rows: readonly (readonly [what: string, Options['request'], target: string])[] = [
  ['a path template', { path: '/v2/people/{path.id}' }, '/v2/people/7?page=2'],
  ['the path with its slashes', { path: '/v2{path}' }, '/v2/api/v1/users/7?page=2'],
  ['a pattern', { path: { match: '/api/v1/([a-z]+)/(.*)', to: '/$1/of/$2' } }, '/users/of/7?page=2'],
  ['a pattern that does not match', { path: { match: '/other', to: '/x' } }, '/api/v1/users/7?page=2'],
  ['query.set', { query: { set: { page: '1', who: '{path.id} & co' } } }, '/api/v1/users/7?page=1&who=7%20%26%20co'],
  ['query.remove', { query: { remove: ['page'] } }, '/api/v1/users/7'],
  ['an empty value', { query: { set: { page: '{query.none}' } } }, '/api/v1/users/7'],
  ['all at once', { path: '/{query.page}', query: { set: { id: '{path}' } } }, '/2?page=2&id=%2Fapi%2Fv1%2Fusers%2F7'],
]

for (const [what, request, target] of rows)
  test(`${what} changes the target to ${target}, but not the logged one`, async () => {
    const exchange = makeExchange()
    const { seen } = await run({ request }, exchange)
    assert.equal(seen.path + seen.query, target)
    assert.equal(exchange.path + exchange.query, '/api/v1/users/7?page=2')
  })

test('a parameter is removed in every encoding of its name', async () => {
  const exchange = makeExchange({ query: '?a=1&%61=2&b+c=3&b%20c=4&keep=%zz&&a' })
  const { seen } = await run({ request: { query: { remove: ['a', 'b c'] } } }, exchange)
  assert.equal(seen.query, '?keep=%zz')
})

for (const id of ['..', '.', '', 'a/../b', 'a\\b', 'a\0b', '\r\n'])
  test(`the value ${JSON.stringify(id)} cannot lead the path elsewhere`, async () => {
    for (const path of ['/files/{path.id}/x', '/files/{path.id}']) {
      const exchange = makeExchange({ params: { id } })
      await assert.rejects(async () => run({ request: { path } }, exchange), refused('bad-request'))
      assert.equal(exchange.path, '/api/v1/users/7')
    }
  })

test('property: no value can add a line, a header or a path segment', async () => {
  const options: Options = {
    request: {
      path: '/files/{path.id}',
      query: { set: { q: '{path.id}', h: '{header.X-In}' } },
      headers: { set: { 'X-Out': '{path.id}', 'X-Copy': '{header.X-In}' } },
    },
    response: { headers: { set: { 'X-Back': '{path.id}{query.q}' } } },
  }
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: anyCharacter }),
      fc.stringMatching(/^[\x21-\x7e\x80-\xff]*$/),
      async (id, field) => {
        const exchange = makeExchange({ params: { id }, headers: Headers.of([['X-In', field]]) })
        try {
          const { seen, reply } = await run(options, exchange)
          assert.match(`${seen.path}${seen.query}`, /^\/files\/[^/?\s\\#]+\?[^\s#]*$/)
          assert.doesNotMatch(seen.query.replace('&h=', ''), /&(?!q=|h=).*&/)
          assert.ok(
            seen.headers
              .split('\r\n')
              .slice(0, -1)
              .every((line) => /^X-(?:In|Out|Copy): [^\r\n\0]*$/.test(line)),
          )
          assert.match(reply.headers.toWire(), /^(?:X-Back: [^\r\n\0]+\r\n)?$/)
        } catch (error) {
          assert.ok(refused('bad-request')(error))
        }
      },
    ),
  )
})

test('property: any claim stays one value at its place', async () => {
  const options: Options = {
    request: {
      path: '/tenants/{claim.tenant}',
      query: { set: { page: '{claim.tenant}' } },
      headers: { set: { 'X-Tenant': '{claim.tenant}' } },
      body: { set: { '/tenant': '{claim.tenant}' } },
    },
  }
  const anything = fc.oneof(fc.string({ unit: anyCharacter }), fc.double({ noNaN: true }), fc.boolean())
  await fc.assert(
    fc.asyncProperty(anything, async (tenant) => {
      const headers = Headers.of(JSON_TYPE)
      const consumer = { id: 'a', roles: [], scopes: [], tier: 'b', key: null, claims: { tenant } }
      const exchange = makeExchange({ consumer, headers, body: Bytes.fromText('{"tenant":0}') })
      try {
        const { seen } = await run(options, exchange)
        const text = String(tenant).toWellFormed()
        assert.equal(decodeURIComponent(seen.path.slice('/tenants/'.length)), text)
        assert.equal(seen.path.split('/').length, 3)
        assert.deepEqual([...new URLSearchParams(seen.query)], [['page', text]])
        // A header without a value is not sent, and spaces are none.
        if (/[^ ]/.test(text)) assert.match(seen.headers, /^X-Tenant: [\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?\r\n/m)
        else assert.doesNotMatch(seen.headers, /X-Tenant/)
        assert.deepEqual(JSON.parse(seen.body), { tenant: text })
      } catch (error) {
        assert.ok(refused('bad-request')(error), String(error))
      }
    }),
  )
})

test('headers are removed, renamed, set and added', async () => {
  const headers = Headers.of([
    ['X-Old', 'a'],
    ['X-Gone', 'b'],
    ['x-old', 'c'],
    ['X-New', 'd'],
  ])
  const edits = {
    rename: { 'X-Old': 'X-New' },
    remove: ['X-Gone'],
    set: { 'X-Set': '{header.X-Old}' },
    add: { 'X-New': 'e' },
  }
  const { seen } = await run({ request: { headers: edits } }, makeExchange({ headers }))
  assert.equal(seen.headers, 'X-New: a\r\nX-New: c\r\nX-Set: a, c\r\nX-New: e\r\n')
})

test('only configured statuses are mapped', async () => {
  const options = { response: { status: { 201: 200, '404': 410 } } }
  for (const [from, to] of [
    [201, 200],
    [404, 410],
    [200, 200],
  ])
    assert.equal((await run(options, makeExchange(), new Reply(from!, Headers.of(), null))).reply.status, to)
})

test('a JSON request body is changed, and templates see the original request', async () => {
  const body = new PushedBody(-1, '{"a":1,"secret":2}')
  const headers = headersFromWire(`${JSON_TYPE.toWire()}X-In: J\xc3\xbcrgen\r\nContent-Digest: x\r\nTrailer: X-Sum\r\n`)
  const options = {
    request: { body: { omit: ['/secret'], set: { '/who': '{header.X-In}' } }, headers: { remove: ['X-In'] } },
  }
  const running = run(options, makeExchange({ method: 'POST', body, headers }))
  body.end()
  const { seen } = await running
  assert.equal(seen.body, '{"a":1,"who":"Jürgen"}')
  assert.equal(seen.headers, JSON_TYPE.toWire())
})

test('bodies of other types are streamed unchanged', async () => {
  const body = new PushedBody(100)
  const headers = Headers.of([['Content-Type', 'application/jsonp']])
  const answer = new Reply(200, headers.clone(), new PushedBody(200))
  const edits = { body: { omit: ['/a'] } }
  const { seen, reply } = await run({ request: edits, response: edits }, makeExchange({ body, headers }), answer)
  assert.equal(seen.body, '100')
  assert.equal(body.sink, null)
  assert.equal(reply.body?.length, 200)
})

const badRequests = [
  ['bad-request', '{', []],
  ['bad-request', '{"a":"\xff"}', []],
  ['bad-request', `${'['.repeat(100_000)}1e5${']'.repeat(100_000)}`, []],
  ['content-too-large', `"${'x'.repeat(2 ** 20)}"`, []],
  ['unsupported-media-type', '{}', [['Content-Encoding', 'gzip']]],
] as const

for (const [code, text, more] of badRequests)
  test(`a request body of ${text.length} bytes is rejected as ${code}`, async () => {
    const headers = Headers.of([...JSON_TYPE, ...more])
    const exchange = makeExchange({ method: 'POST', body: Bytes.fromLatin1(text), headers })
    await assert.rejects(async () => run({ request: { body: { omit: ['/a'] } } }, exchange), refused(code))
  })

test('a changed reply gets a weak ETag, and loses digests, ranges and the announcement of trailers', async () => {
  const lost = 'Content-Digest: x\r\nAccept-Ranges: bytes\r\nTrailer: X-Sum\r\n'
  const headers = headersFromWire(`${JSON_TYPE.toWire()}ETag: "1"\r\n${lost}`)
  const exchange = makeExchange({
    headers: Headers.of([
      ['Range', 'bytes=0-'],
      ['Accept-Encoding', 'br'],
    ]),
  })
  const answer = new Reply(200, headers, Bytes.fromText('{"a":1,"b":2}'))
  const { seen, reply, body } = await run({ response: { body: { pick: ['/b'] } } }, exchange, answer)
  assert.equal(seen.headers, 'Accept-Encoding: identity\r\n')
  assert.equal(body, '{"b":2}')
  assert.equal(reply.headers.toWire(), `${JSON_TYPE.toWire()}ETag: W/"1"\r\n`)
})

for (const [known, tag] of [
  ['W/"1"', 'W/"1"'],
  ['"0", W/"1"', 'W/"1"'],
  ['"1"', '"1"'],
  ['*', '"1"'],
] as const)
  test(`a 304 for ${known} has the tag ${tag}, as the reply that the client knows`, async () => {
    const exchange = makeExchange({ headers: Headers.of([['If-None-Match', known]]) })
    const answer = new Reply(304, Headers.of([['ETag', '"1"']]), null)
    const { reply } = await run({ response: { body: { omit: ['/a'] } } }, exchange, answer)
    assert.equal(reply.headers.get('ETag'), tag)
  })

test('the reply to HEAD has no length if the body would be changed', async () => {
  const body = new PushedBody(13)
  const answer = new Reply(200, JSON_TYPE.clone(), body)
  const { reply } = await run({ response: { body: { omit: ['/b'] } } }, makeExchange({ method: 'HEAD' }), answer)
  assert.equal(reply.body, null)
  assert.ok(body.cancelled)
})

for (const [what, answer] of [
  ['is not JSON', new Reply(200, JSON_TYPE.clone(), Bytes.fromText('{"password":'))],
  ['is partial', new Reply(206, JSON_TYPE.clone(), Bytes.fromText('{"password":1}'))],
  ['is encoded', new Reply(200, Headers.of([...JSON_TYPE, ['Content-Encoding', 'gzip']]), Bytes.fromText('x'))],
  ['has a Content-Length over the limit', new Reply(200, JSON_TYPE.clone(), new PushedBody(2 ** 20 + 1))],
  ['exceeds the limit', new Reply(200, JSON_TYPE.clone(), new PushedBody(-1, 'x'.repeat(2 ** 20 + 1)))],
] as const)
  test(`a reply that ${what} is bad-gateway, never forwarded unchanged`, async () => {
    const options = { response: { body: { omit: ['/password'] } } }
    await assert.rejects(async () => run(options, makeExchange(), answer), refused('bad-gateway'))
  })

test('error replies of the gateway are not transformed', async () => {
  const options: Options = { response: { status: { '502': 200 }, headers: { set: { 'X-A': 'b' } } } }
  const handle = applyPolicy(transform, options, () => Promise.reject(new GatewayError('bad-gateway')))
  const { status, headers } = await handle(makeExchange())
  assert.deepEqual([status, headers.get('X-A')], [502, undefined])
})

test('without body options no body is read', async () => {
  const answer = new Reply(200, JSON_TYPE.clone(), new PushedBody(5, '{"a":'))
  const { reply } = await run({ response: { headers: { set: { 'X-A': 'b' } } } }, makeExchange(), answer)
  const sink = new CollectingSink()
  assert.ok(reply.body instanceof PushedBody)
  reply.body.pipe(sink)
  assert.equal(sink.text, '{"a":')
})

for (const options of [
  { request: { path: 'users' } },
  { request: { path: { match: '/(.+)/x', to: '/' } } },
  { request: { path: { match: '/(a)', to: '/$2' } } },
  { request: { path: { match: '/(a)', to: '/a\r\n' } } },
  { request: { headers: { set: { 'X-A': 'a\r\nB: c' } } } },
  { response: { status: { 200: 304 } } },
  { response: { status: { 100: 200 } } },
  { response: { body: { types: ['application/json; charset=utf-8'] } } },
  { reply: {} },
])
  test(`${JSON.stringify(options)} is rejected`, () => {
    assert.ok(!transform.options.safeParse(options).success)
  })
