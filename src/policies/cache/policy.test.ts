import assert from 'node:assert/strict'
import test from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { makeExchange } from '../../../test/support/exchange.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { applyPolicy, makeToolbox } from '../../../test/support/policy.ts'
import { type BodySink, type BodyStream, Bytes, isStream } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { Headers, headersFromWire } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { createMemoryLogger } from '../../telemetry/memory-logger.ts'
import { cache } from './policy.ts'

type Fields = Readonly<Record<string, string>>

/** A reply of the service: its number, which is the body too, goes into X-Number. */
interface Says {
  readonly status?: number
  readonly fields?: Fields
  readonly body?: string
}

/** A cache in front of a service that answers with what `says` returns, as the test goes on. */
function setUp(
  options: object,
  says: (exchange: Exchange, number: number) => Says | Promise<Says>,
  clock = new ManualClock(),
  toolbox = makeToolbox({ clock }),
) {
  const requests: Fields[] = []
  const make = ({ status = 200, fields = {}, body }: Says, number: number): Reply => {
    const all = Object.entries({ Date: new Date(clock.wall()).toUTCString(), 'X-Number': String(number), ...fields })
    // As they come from a service, which may announce a length.
    const headers = headersFromWire(all.map(([name, value]) => `${name}: ${value}\r\n`).join(''))
    return new Reply(status, headers, status === 204 || status === 304 ? null : Bytes.fromText(body ?? String(number)))
  }
  const handle = applyPolicy(
    cache,
    options,
    (exchange) => {
      requests.push(Object.fromEntries(exchange.headers))
      const number = requests.length
      const output = says(exchange, number)
      return output instanceof Promise ? output.then((each) => make(each, number)) : make(output, number)
    },
    toolbox,
  )
  const ask = async (fields: Fields = {}, parts: Partial<Exchange> = {}) => {
    const reply = await handle(makeExchange({ headers: Headers.of(Object.entries(fields)), ...parts }))
    const body = reply.body instanceof Bytes ? reply.body.toText() : ''
    return { status: reply.status, headers: reply.headers, body, cacheStatus: reply.headers.combined('Cache-Status') }
  }
  return { clock, asked: requests, ask }
}

/** An HTTP date, in seconds from the beginning of a test. */
const httpDate = (seconds: number): string => new Date(new ManualClock().wall() + seconds * 1_000).toUTCString()

const fresh = (seconds: number, more: Fields = {}): Says => ({
  fields: { 'Cache-Control': `max-age=${seconds}`, ...more },
})

test('a fresh reply is served again with its age, and without asking the service', async () => {
  const { clock, asked, ask } = setUp({}, () => fresh(60))
  assert.equal((await ask()).cacheStatus, 'sallyport; fwd=uri-miss; stored')
  clock.advance(7_500)
  const hit = await ask()
  assert.equal(hit.body, '1')
  assert.equal(hit.headers.get('Age'), '7')
  assert.equal(hit.cacheStatus, 'sallyport; hit; ttl=52')
  assert.equal(asked.length, 1)
})

test('a reply that is no longer fresh is asked for again', async () => {
  const { clock, ask } = setUp({}, () => fresh(60))
  await ask()
  clock.advance(60_000)
  const again = await ask()
  assert.equal(again.body, '2')
  assert.equal(again.cacheStatus, 'sallyport; fwd=stale; stored')
})

test('a hit changes nothing for the next one', async () => {
  const { ask } = setUp({}, () => fresh(60))
  await ask()
  const first = await ask()
  first.headers.set('X-Number', 'changed')
  assert.equal((await ask()).headers.get('X-Number'), '1')
})

for (const [why, fields, detail] of [
  ['no-store', { 'Cache-Control': 'no-store, max-age=60' }, 'no-store'],
  ['private', { 'Cache-Control': 'private, max-age=60' }, 'private'],
  ['Vary: *', { 'Cache-Control': 'max-age=60', Vary: '*' }, 'vary-star'],
  ['a cookie', { 'Cache-Control': 'max-age=60', 'Set-Cookie': 'a=b' }, 'set-cookie'],
  ['nothing said', {}, 'no-freshness'],
  ['a targeted no-store', { 'Cache-Control': 'max-age=60', 'CDN-Cache-Control': 'no-store' }, 'no-store'],
] as const)
  test(`a reply with ${why} is not stored, and Cache-Status says why`, async () => {
    const { ask } = setUp({}, () => ({ fields }))
    assert.equal((await ask()).cacheStatus, `sallyport; fwd=uri-miss; detail=${detail}`)
    assert.equal((await ask()).body, '2')
  })

test('a targeted field goes before Cache-Control, unless it is not valid', async () => {
  const { ask } = setUp({}, () => ({ fields: { 'Cache-Control': 'no-store', 'CDN-Cache-Control': 'max-age=60' } }))
  await ask()
  assert.equal((await ask()).body, '1')
  const invalid = setUp({}, () => ({ fields: { 'Cache-Control': 'no-store', 'CDN-Cache-Control': 'max-age=60, &' } }))
  await invalid.ask()
  assert.equal((await invalid.ask()).body, '2')
})

test('ttl is for replies of which the service says nothing', async () => {
  const { clock, ask } = setUp({ ttl: '30s' }, () => ({}))
  await ask()
  clock.advance(29_000)
  assert.equal((await ask()).body, '1')
  clock.advance(1_000)
  assert.equal((await ask()).body, '2')
  const says = setUp({ ttl: '30s' }, () => ({ fields: { 'Cache-Control': 'max-age=0' } }))
  await says.ask()
  assert.equal((await says.ask()).body, '2')
})

test('ttl does not keep errors', async () => {
  const { ask } = setUp({ ttl: '30s' }, () => ({ status: 503 }))
  await ask()
  assert.equal((await ask()).body, '2')
})

const someone = { id: 'u1', roles: ['reader'], scopes: [], tier: 'authenticated', key: null, claims: {} }
const another = { ...someone, id: 'u2' }
const editor = { ...someone, id: 'u3', roles: ['editor'] }

test('what a caller who shows who they are gets is nobody else’s, unless the service says so', async () => {
  const closed = setUp({}, () => fresh(60))
  assert.match((await closed.ask({ Authorization: 'Basic eA==' })).cacheStatus!, /detail=authorization/)
  assert.equal((await closed.ask({}, { consumer: someone })).body, '2')
  assert.equal((await closed.ask()).body, '3')
  const open = setUp({}, () => ({ fields: { 'Cache-Control': 'public, max-age=60' } }))
  await open.ask({}, { consumer: someone })
  assert.equal((await open.ask({}, { consumer: another })).body, '1')
})

test('private and no-cache count for the whole reply, also beside one for some fields', async () => {
  const own = setUp({}, () => ({ fields: { 'Cache-Control': 'private="x-a", max-age=60, private' } }))
  assert.match((await own.ask()).cacheStatus!, /detail=private/)
  const requested = setUp({}, () => ({
    fields: { 'Cache-Control': 'no-cache="x-a", max-age=60, no-cache', ETag: '"a"' },
  }))
  await requested.ask()
  assert.equal((await requested.ask()).body, '2')
})

test('share says who gets the same copy', async () => {
  const consumer = setUp({ share: 'consumer' }, () => fresh(60))
  await consumer.ask({}, { consumer: someone })
  assert.equal((await consumer.ask({}, { consumer: someone })).body, '1')
  assert.equal((await consumer.ask({}, { consumer: another })).body, '2')
  const lesser = [{ roles: [] }, { tier: 'trial' }, { scopes: ['read'] }, { key: 'partner' }]
  for (const [i, less] of lesser.entries())
    assert.equal((await consumer.ask({}, { consumer: { ...someone, ...less } })).body, String(i + 3))
  const role = setUp({ share: 'role' }, () => fresh(60))
  await role.ask({}, { consumer: someone })
  assert.equal((await role.ask({}, { consumer: another })).body, '1')
  assert.equal((await role.ask({}, { consumer: editor })).body, '2')
  const everyone = setUp({ share: 'everyone' }, () => fresh(60))
  await everyone.ask({}, { consumer: someone })
  assert.equal((await everyone.ask()).body, '1')
})

test('a reply is used only for requests that say the same in the fields that it varies by', async () => {
  const { ask } = setUp({}, ({ headers }) => ({
    ...fresh(60, { Vary: 'Accept-Language' }),
    body: headers.get('Accept-Language') ?? 'none',
  }))
  await ask({ 'Accept-Language': 'en' })
  assert.equal((await ask({ 'Accept-Language': 'de' })).cacheStatus, 'sallyport; fwd=vary-miss; stored')
  assert.equal((await ask()).body, 'none')
  for (const language of ['en', 'de']) {
    const hit = await ask({ 'Accept-Language': language })
    assert.equal(hit.body, language)
    assert.match(hit.cacheStatus!, /hit/)
  }
})

test('a stale reply with a validator is asked about, and freshened by a 304', async () => {
  const { clock, asked, ask } = setUp({}, ({ headers }) =>
    headers.has('If-None-Match')
      ? { status: 304, fields: { 'Cache-Control': 'max-age=90', 'X-New': '1' } }
      : fresh(60, { ETag: '"a"' }),
  )
  await ask()
  clock.advance(61_000)
  const validated = await ask()
  assert.equal(asked[1]!['If-None-Match'], '"a"')
  assert.deepEqual([validated.status, validated.body, validated.headers.get('X-New')], [200, '1', '1'])
  assert.equal(validated.cacheStatus, 'sallyport; fwd=stale; fwd-status=304; stored')
  clock.advance(80_000)
  const hit = await ask()
  assert.equal(hit.headers.get('X-New'), '1')
  assert.equal(asked.length, 2)
})

test('a 304 about something else is not believed', async () => {
  const { clock, asked, ask } = setUp({}, ({ headers }) =>
    headers.has('If-None-Match') ? { status: 304, fields: { ETag: '"b"' } } : fresh(60, { ETag: '"a"' }),
  )
  await ask()
  clock.advance(61_000)
  assert.equal((await ask()).body, '3')
  assert.equal(asked.length, 3)
})

test('a client that has the stored reply gets 304', async () => {
  const modified = 'Mon, 15 Jan 2024 09:00:00 GMT'
  const { asked, ask } = setUp({}, () =>
    fresh(60, { ETag: 'W/"a"', 'Last-Modified': modified, 'Content-Type': 'text/plain' }),
  )
  await ask()
  for (const [condition, status] of [
    [{ 'If-None-Match': '"x", "a"' }, 304],
    [{ 'If-None-Match': '*' }, 304],
    [{ 'If-None-Match': '"x"' }, 200],
    [{ 'If-Modified-Since': modified }, 304],
    [{ 'If-Modified-Since': 'Monday, 15-Jan-24 10:00:00 GMT' }, 304],
    [{ 'If-Modified-Since': 'Mon, 15 Jan 2024 08:00:00 GMT' }, 200],
    [{ 'If-None-Match': '"x"', 'If-Modified-Since': modified }, 200],
  ] as [Fields, number][]) {
    const reply = await ask(condition)
    assert.equal(reply.status, status, JSON.stringify(condition))
    assert.equal(reply.headers.get('ETag'), 'W/"a"')
    assert.equal(reply.headers.has('Content-Type'), status === 200)
  }
  assert.equal(asked.length, 1)
})

test('conditions go on to the service where nothing is stored', async () => {
  const { asked, ask } = setUp({}, () => ({ status: 304 }))
  assert.equal((await ask({ 'If-None-Match': '"a"' })).status, 304)
  assert.equal(asked[0]!['If-None-Match'], '"a"')
})

test('parts are cut out of a whole stored reply', async () => {
  const { asked, ask } = setUp({}, () => ({ ...fresh(60, { ETag: '"a"' }), body: '0123456789' }))
  await ask()
  for (const [fields, status, body, contentRange] of [
    [{ Range: 'bytes=2-4' }, 206, '234', 'bytes 2-4/10'],
    [{ Range: 'bytes=7-' }, 206, '789', 'bytes 7-9/10'],
    [{ Range: 'bytes=-3' }, 206, '789', 'bytes 7-9/10'],
    [{ Range: 'bytes=8-99' }, 206, '89', 'bytes 8-9/10'],
    [{ Range: 'bytes=-99' }, 206, '0123456789', 'bytes 0-9/10'],
    [{ Range: 'bytes=10-' }, 416, '', 'bytes */10'],
    [{ Range: 'bytes=4-2' }, 200, '0123456789', undefined],
    [{ Range: 'bytes=0-1,3-4' }, 200, '0123456789', undefined],
    [{ Range: 'lines=0-1' }, 200, '0123456789', undefined],
    [{ Range: 'bytes=2-4', 'If-Range': '"a"' }, 206, '234', 'bytes 2-4/10'],
    [{ Range: 'bytes=2-4', 'If-Range': '"b"' }, 200, '0123456789', undefined],
    [{ Range: 'bytes=-0' }, 416, '', 'bytes */10'],
  ] as [Fields, number, string, string | undefined][]) {
    const reply = await ask(fields)
    assert.deepEqual(
      [reply.status, reply.body, reply.headers.get('Content-Range')],
      [status, body, contentRange],
      JSON.stringify(fields),
    )
  }
  assert.equal(asked.length, 1)
})

for (const [what, fields, ifRange, status] of [
  ['a weak tag', { ETag: 'W/"a"' }, 'W/"a"', 200],
  ['a date a second before Date', { 'Last-Modified': httpDate(-1) }, httpDate(-1), 206],
  ['another date', { 'Last-Modified': httpDate(-1) }, httpDate(-2), 200],
  ['a date at which the content may have changed again', { 'Last-Modified': httpDate(0) }, httpDate(0), 200],
] as const)
  test(`If-Range with ${what}: the stored reply is sent with ${status}`, async () => {
    const { ask } = setUp({}, () => ({ ...fresh(60, fields), body: '0123456789' }))
    await ask()
    assert.equal((await ask({ Range: 'bytes=2-4', 'If-Range': ifRange })).status, status)
  })

for (const [what, head, hit] of [
  ['says the same brings the stored reply up to date', { 'Cache-Control': 'max-age=60', ETag: '"1"', A: 'new' }, true],
  ['has another tag makes it invalid', { 'Cache-Control': 'max-age=60', ETag: '"2"' }, false],
  ['has another length makes it invalid', { 'Cache-Control': 'max-age=60', 'Content-Length': '7' }, false],
  ['is not to be stored makes it invalid', { 'Cache-Control': 'no-store' }, false],
] as const)
  test(`a reply to HEAD that ${what}`, async () => {
    const { clock, ask } = setUp({}, ({ method }) =>
      method === 'HEAD' ? { fields: head } : fresh(10, { ETag: '"1"', A: 'old', B: 'kept' }),
    )
    await ask()
    clock.advance(20_000)
    assert.equal((await ask({}, { method: 'HEAD' })).cacheStatus, 'sallyport; fwd=stale; detail=method')
    const { cacheStatus, headers, body } = await ask()
    if (!hit) return assert.equal(cacheStatus, 'sallyport; fwd=uri-miss; stored')
    assert.equal(cacheStatus, 'sallyport; hit; ttl=60')
    assert.deepEqual([headers.get('A'), headers.get('B'), body], ['new', 'kept', '1'])
  })

test('a stale reply is asked about for HEAD too, and a 304 brings it up to date', async () => {
  const { clock, asked, ask } = setUp({}, ({ headers }) =>
    headers.has('If-None-Match')
      ? { status: 304, fields: { 'Cache-Control': 'max-age=60' } }
      : fresh(10, { ETag: '"1"' }),
  )
  await ask()
  clock.advance(20_000)
  const head = await ask({}, { method: 'HEAD' })
  assert.equal(asked[1]!['If-None-Match'], '"1"')
  assert.equal(head.status, 200)
  assert.equal(head.cacheStatus, 'sallyport; fwd=stale; fwd-status=304; stored')
  assert.match((await ask()).cacheStatus!, /hit; ttl=60/)
})

test('a stale reply answers HEAD too while the service fails', async () => {
  const { clock, ask } = setUp({}, ({ method }) => (method === 'HEAD' ? { status: 503 } : fresh(10, { ETag: '"1"' })))
  await ask()
  clock.advance(20_000)
  const head = await ask({}, { method: 'HEAD' })
  assert.match(head.cacheStatus!, /detail=stale-if-error/)
})

test('HEAD is answered from the reply to GET', async () => {
  const { asked, ask } = setUp({}, () => fresh(60))
  await ask({}, { method: 'HEAD' })
  assert.equal(asked.length, 1)
  await ask()
  assert.match((await ask({}, { method: 'HEAD' })).cacheStatus!, /hit/)
  assert.equal(asked.length, 2)
})

for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH'])
  test(`a ${method} that succeeds makes what is stored invalid, one that fails does not`, async () => {
    const { ask } = setUp({}, ({ method: asked, query }) =>
      asked === 'GET' ? fresh(60) : { status: query === '?page=2' ? 204 : 500 },
    )
    await ask()
    await ask({}, { query: '?x' })
    assert.equal((await ask({}, { method })).cacheStatus, 'sallyport; fwd=method')
    await ask({}, { method, query: '?x' })
    assert.equal((await ask()).body, '5')
    assert.equal((await ask({}, { query: '?x' })).body, '2')
  })

for (const [name, value, other] of [
  ['Location', '/other', '6'],
  ['Content-Location', 'http://api.example.com/other', '6'],
  ['Location', 'http://elsewhere.example.com/other', '2'],
] as const)
  test(`${name}: ${value} of a change makes its target invalid only on the same host`, async () => {
    const { ask } = setUp({}, ({ method }) =>
      method === 'GET' ? fresh(60) : { status: 201, fields: { [name]: value } },
    )
    const target = { path: '/other', query: '' }
    await ask()
    await ask({}, target)
    await ask({}, { method: 'POST' })
    assert.equal((await ask()).body, '4')
    await ask({}, { path: '/third' })
    assert.equal((await ask({}, target)).body, other)
  })

test('a reply that was on its way while its resource changed is not stored', async () => {
  const first = Promise.withResolvers<Says>()
  const says = ({ method }: Exchange, number: number): Says | Promise<Says> =>
    number === 1 ? first.promise : method === 'GET' ? fresh(60) : {}
  const { clock, ask } = setUp({}, says)
  const slow = ask()
  clock.advance(1)
  await ask({}, { method: 'PUT' })
  first.resolve(fresh(60))
  assert.equal((await slow).body, '1')
  assert.equal((await ask()).body, '3')
})

test('cache groups go together', async () => {
  const { ask } = setUp({}, ({ method, path }) => {
    if (method === 'POST') return { fields: { 'Cache-Group-Invalidation': '"lists"' } }
    return fresh(60, { 'Cache-Groups': path === '/a' ? '"lists", "a"' : '"other"' })
  })
  await ask({}, { path: '/a' })
  await ask({}, { path: '/b' })
  await ask({}, { method: 'POST', path: '/c' })
  assert.equal((await ask({}, { path: '/a' })).body, '4')
  assert.equal((await ask({}, { path: '/b' })).body, '2')
})

test('the reply to a POST that is what a GET would return is stored', async () => {
  const { ask } = setUp({}, () => fresh(60, { 'Content-Location': '/api/v1/users/7?page=2' }))
  await ask({}, { method: 'POST', body: Bytes.fromText('{}') })
  assert.equal((await ask()).body, '1')
})

test('a stale reply is served while a new one is fetched', async () => {
  const { clock, asked, ask } = setUp({}, () => ({
    fields: { 'Cache-Control': 'max-age=10, stale-while-revalidate=30' },
  }))
  await ask()
  clock.advance(15_000)
  const stale = await ask()
  assert.equal(stale.body, '1')
  assert.equal(stale.cacheStatus, 'sallyport; hit; ttl=-5; detail=stale-while-revalidate')
  assert.equal(asked.length, 2)
  assert.equal((await ask()).body, '2')
  clock.advance(41_000)
  assert.equal((await ask()).body, '3')
})

test('a stale reply is served when the service fails, for as long as it says', async () => {
  const down = new GatewayError('bad-gateway', 'down')
  const { clock, ask } = setUp({}, (_, number) => {
    if (number === 2) throw down
    return number === 1 ? { fields: { 'Cache-Control': 'max-age=10, stale-if-error=30' } } : { status: 503 }
  })
  await ask()
  clock.advance(15_000)
  const thrown = await ask()
  assert.equal(thrown.body, '1')
  assert.equal(thrown.cacheStatus, 'sallyport; fwd=stale; fwd-status=502; ttl=-5; detail=stale-if-error')
  assert.equal((await ask()).body, '1')
  clock.advance(30_000)
  assert.equal((await ask()).status, 503)
})

test('where a stale reply is served, no error is told of, though a policy further in has made a reply of one', async () => {
  const seen: Exchange[] = []
  const { clock, ask } = setUp({ staleIfError: '1h' }, (exchange, number) => {
    if (number === 1) return fresh(10)
    seen.push(exchange)
    exchange.error = new GatewayError('bad-gateway')
    return { status: 502 }
  })
  await ask()
  clock.advance(15_000)
  assert.equal((await ask()).status, 200)
  assert.deepEqual(
    seen.map(({ error }) => error),
    [null],
  )
})

for (const [how, fail] of [
  [
    'thrown',
    (error: GatewayError) => {
      throw error
    },
  ],
  [
    'already a reply',
    (error: GatewayError, exchange: Exchange) => {
      exchange.error = error
      return { status: error.status }
    },
  ],
] as const)
  test(`the stored reply outlasts a client that leaves while it is revalidated, with the error ${how}`, async () => {
    const { clock, ask } = setUp({ staleIfError: '1h' }, (exchange, number) =>
      number === 1 ? fresh(10) : fail(new GatewayError(number === 2 ? 'client-closed' : 'bad-gateway'), exchange),
    )
    await ask()
    clock.advance(15_000)
    await ask()
    assert.equal((await ask()).body, '1')
  })

test('must-revalidate forbids what the configuration would allow', async () => {
  const { clock, ask } = setUp({ staleIfError: '1h', staleWhileRevalidate: '1h' }, (_, number) =>
    number === 1 ? { fields: { 'Cache-Control': 'max-age=10, must-revalidate' } } : { status: 503 },
  )
  await ask()
  clock.advance(15_000)
  assert.equal((await ask()).status, 503)
})

test('a request may ask for more than freshness, or for less', async () => {
  const { clock, asked, ask } = setUp({}, () => fresh(60))
  await ask()
  clock.advance(30_000)
  for (const control of ['max-age=40', 'min-fresh=20', 'max-stale=5', 'only-if-cached'])
    assert.equal((await ask({ 'Cache-Control': control })).body, '1', control)
  assert.equal((await ask({ 'Cache-Control': 'no-cache' })).cacheStatus, 'sallyport; fwd=request; stored')
  clock.advance(70_000)
  assert.equal((await ask({ 'Cache-Control': 'max-stale=20' })).body, '2')
  assert.equal((await ask({ 'Cache-Control': 'max-stale' })).body, '2')
  assert.equal(asked.length, 2)
  assert.equal((await ask({ 'Cache-Control': 'max-stale=5' })).body, '3')
  assert.match((await ask({ 'Cache-Control': 'no-store' })).cacheStatus!, /fwd=request$/)
})

test('what a request asks for may be left unheeded', async () => {
  const { ask } = setUp({ clientDirectives: false }, () => fresh(60))
  await ask()
  assert.equal((await ask({ 'Cache-Control': 'no-cache' })).body, '1')
})

test('only-if-cached never goes to the service', async () => {
  const { asked, ask } = setUp({}, () => fresh(60))
  assert.equal((await ask({ 'Cache-Control': 'only-if-cached' })).status, 504)
  assert.equal(asked.length, 0)
})

test('must-understand is for status codes that the gateway knows', async () => {
  const control = { 'Cache-Control': 'max-age=60, no-store, must-understand' }
  const known = setUp({}, () => ({ fields: control }))
  await known.ask()
  assert.equal((await known.ask()).body, '1')
  const unknown = setUp({}, () => ({ status: 599, fields: control }))
  await unknown.ask()
  assert.equal((await unknown.ask()).body, '2')
})

test('fields that no-cache and private name are not kept', async () => {
  const { ask } = setUp({}, () => ({
    fields: { 'Cache-Control': 'max-age=60, no-cache="x-a", private="x-b"', 'X-A': '1', 'X-B': '2', 'X-C': '3' },
  }))
  assert.equal((await ask()).headers.get('X-A'), '1')
  const { headers } = await ask()
  assert.deepEqual([headers.get('X-A'), headers.get('X-B'), headers.get('X-C')], [undefined, undefined, '3'])
})

test('requests for the same wait for one reply of the service', async () => {
  const { promise, resolve } = Promise.withResolvers<Says>()
  const { asked, ask } = setUp({}, () => promise)
  const replies = Promise.all([ask(), ask(), ask()])
  resolve(fresh(60))
  const [first, ...others] = await replies
  assert.equal(asked.length, 1)
  assert.equal(first.cacheStatus, 'sallyport; fwd=uri-miss; stored')
  for (const { body, cacheStatus } of others) {
    assert.equal(body, '1')
    assert.equal(cacheStatus, 'sallyport; fwd=uri-miss; collapsed')
  }
})

test('a reply that turns out to be private lets those go that waited, and nobody waits for the next', async () => {
  const first = Promise.withResolvers<Says>()
  const { asked, ask } = setUp({}, (_, number) =>
    number === 1 ? first.promise : { fields: { 'Cache-Control': 'private' } },
  )
  const replies = Promise.all([ask(), ask(), ask()])
  assert.equal(asked.length, 1)
  first.resolve({ fields: { 'Cache-Control': 'private' } })
  assert.deepEqual((await replies).map(({ body }) => body).toSorted(), ['1', '2', '3'])
})

for (const [what, says, fields] of [
  ['has to be asked about each time', { fields: { 'Cache-Control': 'no-cache', ETag: '"a"' } }, {}],
  ['is older than requests want it', fresh(60, { Age: '1' }), { 'Cache-Control': 'max-age=0' }],
] as const)
  test(`those who have waited for a reply that ${what} do not wait for one another`, async () => {
    const first = Promise.withResolvers<Says>()
    const others = Promise.withResolvers<Says>()
    const { asked, ask } = setUp({}, (_, number) => (number === 1 ? first.promise : others.promise))
    const replies = Promise.all([ask(fields), ask(fields), ask(fields), ask(fields)])
    assert.equal(asked.length, 1)
    first.resolve(says)
    await turn()
    assert.equal(asked.length, 4)
    others.resolve(says)
    await replies
  })

test('a body that turns out to be over the limit lets those go that waited, and nobody waits for the next', async () => {
  const sinks: BodySink[] = []
  const handle = applyPolicy(cache, { maxBody: '4b' }, () => {
    const body: BodyStream = { length: -1, pipe: (sink) => void sinks.push(sink), resume() {}, cancel() {} }
    return new Reply(200, Headers.of([['Cache-Control', 'max-age=60']]), body)
  })
  const first = await handle(makeExchange())
  if (isStream(first.body)) first.body.pipe({ write: () => true, end() {}, fail() {} })
  const others = Promise.all([handle(makeExchange()), handle(makeExchange()), handle(makeExchange())])
  sinks[0]!.write(Buffer.from('12345'))
  for (const { status } of await others) assert.equal(status, 200)
})

test('those who wait do so for three requests at most that fail, one after the other', async () => {
  const turns = Array.from({ length: 4 }, () => Promise.withResolvers<Says>())
  const { asked, ask } = setUp({}, (_, number) => turns[Math.min(number, 4) - 1]!.promise)
  const replies = Promise.all(Array.from({ length: 9 }, () => ask()))
  const counts: number[] = []
  for (const { resolve } of turns) {
    counts.push(asked.length)
    resolve({ status: 503 })
    await turn()
  }
  assert.deepEqual(counts, [1, 2, 3, 9])
  await replies
})

test('nobody waits longer than the configuration says', async () => {
  const first = Promise.withResolvers<Says>()
  const { clock, asked, ask } = setUp({ wait: '2s' }, (_, number) => (number === 1 ? first.promise : fresh(60)))
  const slow = ask()
  const waiting = ask()
  clock.advance(2_000)
  assert.equal((await waiting).body, '2')
  first.resolve(fresh(60))
  assert.equal((await slow).body, '1')
  assert.equal(asked.length, 2)
})

test('host and scheme tell resources apart, the case of the host does not', async () => {
  const { ask } = setUp({}, () => fresh(60))
  await ask()
  assert.equal((await ask({}, { host: 'API.Example.com' })).body, '1')
  assert.equal((await ask({}, { host: 'other.example.com' })).body, '2')
  const client = {
    address: '192.0.2.1',
    scheme: 'https',
    host: null,
    claims: '',
    proxied: false,
    certificate: null,
    hops: [],
    peerCertificate: null,
    forwardingFields: () => '',
  } as const
  assert.equal((await ask({}, { client })).body, '3')
  await ask({}, { method: 'POST' })
  assert.equal((await ask({}, { client })).body, '5')
})

test('a broken reply of the service is an error document that says where it came from', async () => {
  const { ask } = setUp({}, () => {
    throw new GatewayError('bad-gateway', 'down')
  })
  const reply = await ask()
  assert.deepEqual([reply.status, reply.cacheStatus], [502, 'sallyport; fwd=uri-miss'])
  assert.equal((await ask({}, { method: 'OPTIONS' })).cacheStatus, 'sallyport; fwd=method')
  assert.equal((await ask({}, { method: 'POST' })).cacheStatus, 'sallyport; fwd=method')
})

test('parts of the query that make no difference are left out of the key', async () => {
  const { ask } = setUp({ query: { sort: true, except: ['utm_source'] } }, () => fresh(60))
  await ask({}, { query: '?a=1&b=2' })
  assert.equal((await ask({}, { query: '?b=2&utm_source=x&a=1' })).body, '1')
  assert.equal((await ask({}, { query: '?a=1&b=3' })).body, '2')
  const only = setUp({ query: { only: ['a'] } }, () => fresh(60))
  await only.ask({}, { query: '?a=1&b=2' })
  assert.equal((await only.ask({}, { query: '?c=1&a=1' })).body, '1')
})

test('an upgrade, preconditions and a GET with a body are left to the service', async () => {
  const { asked, ask } = setUp({}, () => fresh(60))
  await ask()
  assert.equal((await ask({}, { upgrade: 'websocket' })).cacheStatus, undefined)
  assert.match((await ask({ 'If-Match': '"a"' })).cacheStatus!, /fwd=request/)
  assert.match((await ask({}, { body: Bytes.fromText('x') })).cacheStatus!, /fwd=bypass/)
  assert.equal(asked.length, 4)
})

test('a body over the limit is passed through', async () => {
  const { ask } = setUp({ maxBody: '4b' }, () => ({ ...fresh(60), body: '12345' }))
  assert.equal((await ask()).cacheStatus, 'sallyport; fwd=uri-miss; detail=too-large')
  const small = setUp({ memory: '20kb' }, () => ({ ...fresh(60), body: 'x'.repeat(3_000) }))
  assert.equal((await small.ask()).cacheStatus, 'sallyport; fwd=uri-miss; detail=too-large')
})

test('a stored reply is removed if the headers of a later reply to HEAD make it too large', async () => {
  const { ask } = setUp({ memory: '20kb', clientDirectives: true }, ({ method }) =>
    method === 'HEAD' ? fresh(60, { ETag: '"1"', A: 'x'.repeat(3_000) }) : fresh(60, { ETag: '"1"' }),
  )
  await ask()
  assert.match((await ask()).cacheStatus!, /hit/)
  await ask({ 'Cache-Control': 'no-cache' }, { method: 'HEAD' })
  assert.match((await ask()).cacheStatus!, /uri-miss/)
})

test('a reply that is outdated before it arrives is neither stored nor said to be', async () => {
  const change = Promise.withResolvers<void>()
  const { clock, ask } = setUp({}, async ({ method }) => {
    if (method === 'GET') await change.promise
    return fresh(60)
  })
  const pending = ask()
  clock.advance(1)
  await ask({}, { method: 'POST' })
  clock.advance(1)
  change.resolve()
  assert.equal((await pending).cacheStatus, 'sallyport; fwd=uri-miss')
  assert.equal((await ask()).cacheStatus, 'sallyport; fwd=uri-miss; stored')
})

test('near the limit of the memory, exactly those replies are said to be stored that are', async () => {
  const { ask } = setUp({ memory: '20kb' }, ({ query }) => ({ ...fresh(60), body: 'x'.repeat(Number(query.slice(1))) }))
  const outcomes = new Set<boolean>()
  for (let size = 800; size < 2_800; size++) {
    const parts = { query: `?${size}` }
    const isStored = (await ask({}, parts)).cacheStatus === 'sallyport; fwd=uri-miss; stored'
    assert.equal((await ask({}, parts)).cacheStatus!.startsWith('sallyport; hit'), isStored, `${size} bytes`)
    outcomes.add(isStored)
  }
  assert.equal(outcomes.size, 2)
})

test('a reply that is too large after its revalidation is removed, and not said to be stored', async () => {
  const { clock, ask } = setUp({ memory: '20kb' }, (_, number) =>
    number === 2
      ? { ...fresh(60, { ETag: '"a"', 'X-More': 'x'.repeat(1_000) }), status: 304 }
      : { ...fresh(60, { ETag: '"a"' }), body: 'x'.repeat(1_200) },
  )
  assert.equal((await ask()).cacheStatus, 'sallyport; fwd=uri-miss; stored')
  clock.advance(60_000)
  assert.equal((await ask()).cacheStatus, 'sallyport; fwd=stale; fwd-status=304')
  assert.equal((await ask()).cacheStatus, 'sallyport; fwd=uri-miss; stored')
})

test('a refresh in the background that fails is logged, and the stale reply goes on', async () => {
  const clock = new ManualClock()
  const { log, lines } = createMemoryLogger('info', clock)
  let number = 0
  const handle = applyPolicy(
    cache,
    {},
    () => {
      const fields = {
        Date: new Date(clock.wall()).toUTCString(),
        'Cache-Control': 'max-age=10, stale-while-revalidate=60',
      }
      const reply = new Reply(200, Headers.of(Object.entries(fields)), Bytes.fromText('x'))
      if (++number > 1)
        Object.defineProperty(reply, 'headers', {
          get() {
            throw new Error('broken')
          },
        })
      return Promise.resolve(reply)
    },
    makeToolbox({ clock, log }),
  )
  assert.equal((await handle(makeExchange())).status, 200)
  clock.advance(15_000)
  for (const asked of [2, 3]) {
    assert.equal((await handle(makeExchange())).status, 200)
    await turn()
    assert.equal(number, asked)
    assert.equal(lines.filter(({ message }) => message === 'A stored reply could not be refreshed').length, asked - 1)
  }
})
