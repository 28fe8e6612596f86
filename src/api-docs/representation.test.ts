import assert from 'node:assert/strict'
import test from 'node:test'
import { gunzipSync } from 'node:zlib'
import { makeExchange } from '../../test/support/exchange.ts'
import { Bytes } from '../http/body.ts'
import { Headers } from '../http/headers.ts'
import { Representation } from './representation.ts'

const text = 'something that is said again and again, '.repeat(20)
const page = new Representation(Buffer.from(text), [['Content-Type', 'text/plain']])

async function ask(fields: Record<string, string> = {}) {
  const reply = await page.answer(makeExchange({ headers: Headers.of(Object.entries(fields)) }))
  assert.ok(reply.body === null || reply.body instanceof Bytes)
  return { status: reply.status, headers: reply.headers, body: reply.body?.toBuffer() }
}

test('a reply has its headers, an ETag and Vary', async () => {
  const { status, headers, body } = await ask()
  assert.equal(status, 200)
  assert.equal(body!.toString(), text)
  assert.equal(headers.get('Content-Type'), 'text/plain')
  assert.equal(headers.get('Vary'), 'Accept-Encoding')
  assert.match(headers.get('ETag')!, /^"[\w-]{22}"$/)
  assert.equal(headers.has('Content-Encoding'), false)
})

for (const accepted of ['gzip', 'x-gzip', 'br, gzip;q=0.5', 'GZIP ; q=1.0', 'deflate,gzip , br'])
  test(`a reply is compressed for Accept-Encoding: ${accepted}`, async () => {
    const { headers, body } = await ask({ 'Accept-Encoding': accepted })
    assert.equal(headers.get('Content-Encoding'), 'gzip')
    assert.equal(gunzipSync(body!).toString(), text)
  })

for (const accepted of ['', 'br', 'gzip;q=0', 'gzip;q=0.000', 'gzipped', 'identity'])
  test(`a reply is not compressed for Accept-Encoding: ${accepted}`, async () => {
    assert.equal((await ask({ 'Accept-Encoding': accepted })).headers.has('Content-Encoding'), false)
  })

test('a matching If-None-Match gets 304, with separate ETags for each encoding', async () => {
  const plain = (await ask()).headers.get('ETag')!
  const zipped = (await ask({ 'Accept-Encoding': 'gzip' })).headers.get('ETag')!
  assert.notEqual(plain, zipped)
  for (const [tags, accepted, status] of [
    [plain, '', 304],
    [`"other", W/${plain}`, '', 304],
    ['*', '', 304],
    [zipped, 'gzip', 304],
    [zipped, '', 200],
    [plain, 'gzip', 200],
    ['"other"', '', 200],
  ] as const) {
    const reply = await ask({ 'If-None-Match': tags, 'Accept-Encoding': accepted })
    assert.equal(reply.status, status, `${tags} ${accepted}`)
    assert.ok(reply.headers.has('ETag'))
    assert.equal(reply.body === undefined, status === 304)
  }
})
