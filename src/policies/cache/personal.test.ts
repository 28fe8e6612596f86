import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { applyPolicy, makeToolbox } from '../../../test/support/policy.ts'
import { Bytes } from '../../http/body.ts'
import type { Consumer, Exchange } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { cache } from './policy.ts'

type Fields = Readonly<Record<string, string>>

const alice: Consumer = { id: 'alice', roles: [], scopes: [], tier: 'authenticated', key: null, claims: {} }

/** A service that sends the same headers for each page, whose content names the user in the cookie and counts the requests. */
function setUp(options: object, said: Fields = {}) {
  const clock = new ManualClock()
  let number = 0
  let down = false
  const next = ({ headers }: Exchange): Reply => {
    number++
    if (down) return new Reply(503, Headers.of(), null)
    const fields = Headers.of(Object.entries({ Date: new Date(clock.wall()).toUTCString(), ...said }))
    return new Reply(200, fields, Bytes.fromText(`${headers.get('Cookie') ?? 'nobody'} ${number}`))
  }
  const handle = applyPolicy(cache, options, next, makeToolbox({ clock }))
  const ask = async (sent: Fields = {}, parts: Partial<Exchange> = {}): Promise<[page: string, status: string]> => {
    const reply = await handle(makeExchange({ headers: Headers.of(Object.entries(sent)), ...parts }))
    return [reply.body instanceof Bytes ? reply.body.toText() : '', reply.headers.combined('Cache-Status')!]
  }
  return { clock, ask, fail: () => (down = true), asked: () => number }
}

const old = { 'Last-Modified': new Date(Date.UTC(2020, 0)).toUTCString() }

for (const [what, options, said] of [
  ['ttl', { ttl: '30s' }, {}],
  ['heuristic', { heuristic: 0.1 }, old],
  ['a time for which stale replies may be used', { staleIfError: '60s' }, { ETag: '"1"' }],
] as const) {
  test(`with ${what}, the page of somebody with a session is for nobody else`, async () => {
    const { ask, fail } = setUp(options, said)
    assert.deepEqual(await ask({ Cookie: 'sid=alice' }), ['sid=alice 1', 'sallyport; fwd=uri-miss; detail=cookie'])
    assert.equal((await ask({ Cookie: 'sid=bob' }))[0], 'sid=bob 2')
    assert.deepEqual(await ask(), ['nobody 3', 'sallyport; fwd=uri-miss; stored'])
    // Nor does a user with a session get the page for anonymous users.
    assert.deepEqual(await ask({ Cookie: 'sid=alice' }), ['sid=alice 4', 'sallyport; fwd=vary-miss; detail=cookie'])
    fail()
    assert.equal((await ask({ Cookie: 'sid=bob' }))[0], '')
    assert.equal((await ask())[0], 'nobody 3')
  })
}

for (const directives of ['public', 's-maxage=60', 'public, max-age=60'])
  test(`a page of which the service says "${directives}" is for everybody, whoever has a session`, async () => {
    const { ask } = setUp({ ttl: '30s' }, { 'Cache-Control': directives })
    assert.equal((await ask({ Cookie: 'sid=alice' }))[1], 'sallyport; fwd=uri-miss; stored')
    for (const sent of [{}, { Cookie: 'sid=bob' }]) assert.equal((await ask(sent))[0], 'sid=alice 1')
  })

test('what the service gives a time itself goes by that, as RFC 9111 has it', async () => {
  const { ask } = setUp({ ttl: '30s' }, { 'Cache-Control': 'max-age=60' })
  await ask({ Cookie: 'theme=dark' })
  assert.equal((await ask())[0], 'theme=dark 1')
})

test('with `share: everyone` a session makes no difference', async () => {
  const { ask } = setUp({ ttl: '30s', share: 'everyone' })
  await ask({ Cookie: 'sid=alice' })
  assert.equal((await ask({ Cookie: 'sid=bob' }))[0], 'sid=alice 1')
})

test('with `share: consumer` a session is the consumer’s, and of nobody where there is none', async () => {
  const { ask } = setUp({ ttl: '30s', share: 'consumer' })
  await ask({ Cookie: 'sid=1' }, { consumer: alice })
  assert.equal((await ask({ Cookie: 'sid=1' }, { consumer: alice }))[0], 'sid=1 1')
  assert.equal((await ask({ Cookie: 'sid=1' }, { consumer: { ...alice, id: 'bob' } }))[0], 'sid=1 2')
  assert.equal((await ask({ Cookie: 'sid=2' }))[1], 'sallyport; fwd=uri-miss; detail=cookie')
})

test('with `public`, a caller who is known is not answered by guess', async () => {
  const { ask } = setUp({ ttl: '30s' })
  await ask()
  assert.equal((await ask({}, { consumer: alice }))[1], 'sallyport; fwd=vary-miss; detail=authorization')
})

for (const name of [
  'Authorization',
  'X-API-Key',
  'x_api_key',
  'X-Auth-Token',
  'X-Amz-Security-Token',
  'X-HTTP-Method-Override',
])
  test(`a request with ${name} may be personal`, async () => {
    const { ask } = setUp({ ttl: '30s' })
    assert.match((await ask({ [name]: 'a' }))[1], /^sallyport; fwd=uri-miss; detail=(?:authorization|personal)$/)
    await ask()
    assert.match((await ask({ [name]: 'a' }))[1], /^sallyport; fwd=vary-miss; detail=(?:authorization|personal)$/)
    assert.match((await ask())[1], /; hit; /)
  })

test('requests with a session do not keep the others from waiting for one reply', async () => {
  const { ask, clock, asked } = setUp({ ttl: '30s' })
  await ask({ Cookie: 'sid=alice' })
  assert.equal(asked(), 1)
  const { promise, resolve } = Promise.withResolvers<Reply>()
  let number = 0
  const handle = applyPolicy(
    cache,
    { ttl: '30s' },
    ({ headers }) => {
      number++
      return headers.has('Cookie') ? new Reply(200, Headers.of(), Bytes.fromText('alice')) : promise
    },
    makeToolbox({ clock }),
  )
  const page = async (sent: Fields): Promise<string> => {
    const { body } = await handle(makeExchange({ headers: Headers.of(Object.entries(sent)) }))
    return body instanceof Bytes ? body.toText() : ''
  }
  const waiting = [page({}), page({})]
  assert.equal(await page({ Cookie: 'sid=alice' }), 'alice')
  waiting.push(page({}))
  resolve(new Reply(200, Headers.of(), Bytes.fromText('nobody')))
  assert.deepEqual(await Promise.all(waiting), ['nobody', 'nobody', 'nobody'])
  assert.equal(number, 2)
})

for (const type of ['text/event-stream', 'Text/Event-Stream; charset=utf-8', 'multipart/x-mixed-replace; boundary=b'])
  test(`${type} is never stored, whatever the service says`, async () => {
    const { ask } = setUp({ ttl: '30s' }, { 'Content-Type': type, 'Cache-Control': 'public, max-age=60' })
    assert.equal((await ask())[1], 'sallyport; fwd=uri-miss; detail=stream')
    assert.equal((await ask())[0], 'nobody 2')
  })

test('who asks for an event stream waits for nobody', async () => {
  let number = 0
  const handle = applyPolicy(cache, {}, () => {
    number++
    return new Promise(() => {})
  })
  for (let i = 0; i < 3; i++) void handle(makeExchange({ headers: Headers.of([['Accept', 'text/event-stream']]) }))
  assert.equal(number, 3)
})

for (const [host, same] of [
  ['shop.example.com', true],
  ['evil.example.com', false],
  [null, false],
] as const)
  test(`what a believed proxy was asked for is in the key: ${host}`, async () => {
    const { ask } = setUp({}, { 'Cache-Control': 'max-age=60' })
    const client = {
      address: '192.0.2.1',
      scheme: 'https',
      host: 'shop.example.com',
      claims: '',
      proxied: false,
      certificate: null,
      hops: [],
      peerCertificate: null,
      forwardingFields: () => '',
    } as const
    await ask({}, { client })
    assert.equal((await ask({}, { client: { ...client, host } }))[0], same ? 'nobody 1' : 'nobody 2')
  })

test('what a believed proxy says besides is in the key, but the addresses', async () => {
  const { ask } = setUp({}, { 'Cache-Control': 'max-age=60' })
  const page = async (claims: string): Promise<string> => {
    const client = {
      address: '192.0.2.1',
      scheme: 'http',
      host: null,
      claims,
      proxied: false,
      certificate: null,
      hops: [],
      peerCertificate: null,
      forwardingFields: () => '',
    } as const
    return (await ask({}, { client }))[0]
  }
  assert.equal(await page('X-Forwarded-Prefix: /a\r\nX-Real-IP: 192.0.2.1\r\n'), 'nobody 1')
  assert.equal(await page('X-Real-IP: 192.0.2.2\r\nX-Forwarded-Prefix: /a\r\n'), 'nobody 1')
  assert.equal(await page('X-Forwarded-Prefix: /b\r\n'), 'nobody 2')
  assert.equal(await page('Remote-User: alice\r\n'), 'nobody 3')
  assert.equal(await page(''), 'nobody 4')
  assert.equal((await ask())[0], 'nobody 4')
})

for (const [field, value, name, expected] of [
  ['Content-Encoding', 'gzip', 'Accept-Encoding', 'nobody 2'],
  ['Content-Encoding', 'identity', 'Accept-Encoding', 'nobody 1'],
  ['Access-Control-Allow-Origin', 'https://a.example', 'Origin', 'nobody 2'],
  ['Access-Control-Allow-Origin', '*', 'Origin', 'nobody 1'],
] as const)
  test(`with ttl, ${field}: ${value} says of itself whether it depends on ${name}`, async () => {
    const { ask } = setUp({ ttl: '30s' }, { [field]: value })
    await ask({ [name]: 'a' })
    assert.equal((await ask({ [name]: 'a' }))[0], 'nobody 1')
    assert.equal((await ask({ [name]: 'b' }))[0], expected)
  })
