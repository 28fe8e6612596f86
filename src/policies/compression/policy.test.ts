import assert from 'node:assert/strict'
import test from 'node:test'
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { z } from 'zod'
import { PushedBody } from '../../../test/support/bodies.ts'
import { makeExchange } from '../../../test/support/exchange.ts'
import { applyPolicy } from '../../../test/support/policy.ts'
import { type Body, Bytes, collect, isStream } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Handler } from '../../http/handler.ts'
import { Headers, headersFromWire } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { compression } from './policy.ts'

type Options = z.input<typeof compression.options>

const text = JSON.stringify(Array.from({ length: 200 }, (_, id) => ({ id, name: `user ${id}` })))
const json = { 'Content-Type': 'application/json' }
const decompress = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync }

interface Case {
  readonly options?: Options
  readonly method?: string
  readonly sent?: Readonly<Record<string, string>>
  readonly status?: number
  readonly fields?: Readonly<Record<string, string>>
  readonly body?: Body
}

/** The reply of a service, as the policy lets it through; a JSON text to a client that takes gzip unless said otherwise. */
async function run({ options = {}, method = 'GET', sent = { 'Accept-Encoding': 'gzip' }, ...rest }: Case = {}) {
  const { status = 200, fields = json, body = Bytes.fromText(text) } = rest
  const next: Handler = () => new Reply(status, received(fields), body)
  const exchange = makeExchange({ method, headers: Headers.of(Object.entries(sent)) })
  const reply = await applyPolicy(compression, options, next)(exchange)
  return { reply, coding: reply.headers.get('Content-Encoding'), vary: reply.headers.get('Vary'), original: body }
}

/** As they come from a service, which may announce a length. */
function received(fields: Readonly<Record<string, string>>): Headers {
  return headersFromWire(
    Object.entries(fields)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join(''),
  )
}

async function bytesOf(body: Body): Promise<Buffer> {
  return (await collect(body, 10_000_000, 'a client')).toBuffer()
}

for (const name of ['zstd', 'br', 'gzip'] as const)
  test(`a text for a client that accepts ${name} is compressed with it`, async () => {
    const { reply, coding, vary } = await run({ sent: { 'Accept-Encoding': name } })
    assert.equal(coding, name)
    assert.equal(vary, 'Accept-Encoding')
    const bytes = await bytesOf(reply.body)
    assert.ok(bytes.length < text.length / 2)
    assert.equal(reply.body?.length, bytes.length)
    assert.equal(decompress[name](bytes).toString(), text)
  })

test('long bytes are compressed in pieces', async () => {
  const long = text.repeat(30)
  const { reply, coding } = await run({ body: Bytes.fromText(long) })
  assert.equal(coding, 'gzip')
  assert.ok(isStream(reply.body))
  assert.equal(gunzipSync(await bytesOf(reply.body)).toString(), long)
})

test('a streamed body is compressed as a stream', async () => {
  const body = new PushedBody(-1)
  const { reply, coding } = await run({ body })
  assert.equal(coding, 'gzip')
  assert.ok(isStream(reply.body))
  const bytes = bytesOf(reply.body)
  body.push(text)
  body.end()
  assert.equal(gunzipSync(await bytes).toString(), text)
})

test('among equally preferred encodings the order of the options decides', async () => {
  const sent = { 'Accept-Encoding': 'gzip, deflate, br, zstd' }
  assert.equal((await run({ sent })).coding, 'zstd')
  assert.equal((await run({ sent, options: { encodings: ['gzip', 'br'] } })).coding, 'gzip')
})

test('the compression levels are options', async () => {
  const sent = { 'Accept-Encoding': 'br' }
  const quick = await run({ sent, options: { levels: { br: 0 } } })
  const thorough = await run({ sent, options: { levels: { br: 11 } } })
  assert.ok(thorough.reply.body!.length < quick.reply.body!.length)
})

const untouched: Record<string, Case> = {
  'an image': { fields: { 'Content-Type': 'image/png' } },
  'a body of an unknown type': { fields: {} },
  events: { fields: { 'Content-Type': 'text/event-stream' } },
  'an already encoded text': { fields: { ...json, 'Content-Encoding': 'br' } },
  'a text that must not be transformed': { fields: { ...json, 'Cache-Control': 'public, no-transform' } },
  'a request with no-transform': { sent: { 'Accept-Encoding': 'gzip', 'Cache-Control': 'No-Transform' } },
  'a partial text': { status: 206, fields: { ...json, 'Content-Range': 'bytes 0-1/2' } },
  'a text with a digest': { fields: { ...json, 'Content-Digest': 'sha-256=:x:' } },
  'a short text': { body: Bytes.fromText('x'.repeat(1023)) },
  'a short streamed text': { body: new PushedBody(1023) },
  'a reply without content': { status: 204, body: null },
  'no body': { body: null },
}

for (const [what, each] of Object.entries(untouched))
  test(`${what} is not compressed, for any client`, async () => {
    const { reply, vary, original } = await run(each)
    assert.equal(reply.body, original)
    assert.equal(vary, undefined)
    assert.deepEqual([...reply.headers], Object.entries(each.fields ?? json))
  })

for (const acceptEncoding of [null, '', 'identity', 'gzip;q=0'])
  test(`with Accept-Encoding ${JSON.stringify(acceptEncoding)} a reply is not compressed, but has Vary`, async () => {
    const sent: Record<string, string> = acceptEncoding === null ? {} : { 'Accept-Encoding': acceptEncoding }
    const { reply, coding, vary, original } = await run({ sent })
    assert.equal(reply.body, original)
    assert.equal(coding, undefined)
    assert.equal(vary, 'Accept-Encoding')
  })

test('a text of exactly the minimum size is compressed', async () => {
  assert.equal((await run({ body: Bytes.fromText('x'.repeat(1024)) })).coding, 'gzip')
  assert.equal((await run({ options: { minimum: '10b' }, body: Bytes.fromText('x'.repeat(100)) })).coding, 'gzip')
})

test('a text that would not get shorter is not compressed', async () => {
  const { coding, vary, reply, original } = await run({ options: { minimum: '1b' }, body: Bytes.fromText('abc') })
  assert.equal(coding, undefined)
  assert.equal(vary, 'Accept-Encoding')
  assert.equal(reply.body, original)
})

test('a client that forbids identity gets a compressed reply, however short', async () => {
  const { reply, coding, vary } = await run({
    sent: { 'Accept-Encoding': 'gzip, identity;q=0' },
    body: Bytes.fromText('abc'),
  })
  assert.equal(coding, 'gzip')
  assert.equal(vary, 'Accept-Encoding')
  assert.equal(gunzipSync(await bytesOf(reply.body)).toString(), 'abc')
})

test('what is said of the bytes changes with them', async () => {
  const fields = { ...json, ETag: '"v1"', 'Accept-Ranges': 'bytes', Vary: 'Accept' }
  assert.deepEqual(
    [...(await run({ fields })).reply.headers],
    [
      ['Content-Type', 'application/json'],
      ['Vary', 'Accept, Accept-Encoding'],
      ['Content-Encoding', 'gzip'],
      ['ETag', 'W/"v1~compressed"'],
    ],
  )
  const { reply } = await run({ fields, sent: {} })
  assert.equal(reply.headers.get('ETag'), '"v1"')
  assert.equal(reply.headers.get('Accept-Ranges'), 'bytes')
  assert.equal((await run({ fields: { ...json, ETag: 'W/"v1"' } })).reply.headers.get('ETag'), 'W/"v1"')
})

test('the reply to HEAD has the headers of GET', async () => {
  const fields = { ...json, 'Content-Length': '5000', ETag: '"v1"' }
  const { reply } = await run({ method: 'HEAD', fields, body: null })
  assert.equal(reply.body, null)
  assert.deepEqual(
    [...reply.headers],
    [
      ['Content-Type', 'application/json'],
      ['Vary', 'Accept-Encoding'],
      ['Content-Encoding', 'gzip'],
      ['ETag', 'W/"v1~compressed"'],
    ],
  )
  const short = { ...json, 'Content-Length': '10' }
  assert.deepEqual([...(await run({ method: 'HEAD', fields: short, body: null })).reply.headers], Object.entries(short))
})

test('a 304 has the tag of the reply that the client has', async () => {
  const ask = async (known: string, fields = { ETag: '"v1"' }) => {
    const sent = { 'Accept-Encoding': 'gzip', 'If-None-Match': known }
    const { reply, vary } = await run({ status: 304, sent, fields, body: null })
    return [reply.headers.get('ETag'), vary]
  }
  assert.deepEqual(await ask('W/"v1~compressed"'), ['W/"v1~compressed"', 'Accept-Encoding'])
  assert.deepEqual(await ask('"v0", W/"v1~compressed"'), ['W/"v1~compressed"', 'Accept-Encoding'])
  assert.deepEqual(await ask('"v1"'), ['"v1"', 'Accept-Encoding'])
  assert.deepEqual(await ask('"v1"', {} as { ETag: string }), [undefined, 'Accept-Encoding'])
  const image = { ETag: '"v1"', 'Content-Type': 'image/png' }
  assert.deepEqual(await ask('W/"v1~compressed"', image), ['"v1"', undefined])
})

test('a long error document is compressed as well', async () => {
  const next: Handler = () => Promise.reject(new GatewayError('bad-request', 'x'.repeat(5000)))
  const exchange = makeExchange({ headers: Headers.of([['Accept-Encoding', 'gzip']]) })
  const reply = await applyPolicy(compression, {}, next)(exchange)
  assert.equal(reply.status, 400)
  assert.equal(reply.headers.get('Content-Encoding'), 'gzip')
  assert.match(gunzipSync(await bytesOf(reply.body)).toString(), /"status":400/)
})

test('streams above the limit are not compressed until another one ends', async () => {
  const options = { streams: 2 }
  const replies = [await run({ options, body: new PushedBody(-1) }), await run({ options, body: new PushedBody(-1) })]
  assert.deepEqual(
    replies.map(({ coding }) => coding),
    ['gzip', 'gzip'],
  )
  const third = await run({ options, body: new PushedBody(-1) })
  assert.equal(third.coding, undefined)
  assert.equal(third.vary, 'Accept-Encoding')
  assert.equal(third.reply.body, third.original)
  // What is at hand holds no memory.
  assert.equal((await run({ options })).coding, 'gzip')
  const [first, second] = replies.map(({ reply }) => reply.body)
  assert.ok(isStream(first!) && isStream(second!))
  first.cancel()
  const fourth = await run({ options, body: new PushedBody(-1) })
  assert.equal(fourth.coding, 'gzip')
  second.cancel()
  assert.ok(isStream(fourth.reply.body))
  fourth.reply.body.cancel()
})

for (const [what, options] of Object.entries<object>({
  'no encoding': { encodings: [] },
  'an unknown encoding': { encodings: ['deflate'] },
  'an invalid level': { levels: { br: 12 } },
  'an invalid type': { types: ['json'] },
  'a minimum without a unit': { minimum: 1024 },
}))
  test(`${what} is rejected`, () => assert.ok(!compression.options.safeParse(options).success))
