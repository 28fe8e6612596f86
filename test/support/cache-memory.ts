import { Bytes } from '../../src/http/body.ts'
import type { Counter } from '../../src/core/metrics.ts'
import { headersFromWire } from '../../src/http/headers.ts'
import { fakeExchange } from '../../src/testing/fake-exchange.ts'
import { hitReply } from '../../src/policies/cache/entry.ts'
import { makeEntry } from '../../src/policies/cache/make-entry.ts'
import { MemoryCacheStore } from '../../src/policies/cache/memory/memory-store.ts'
import { StoringBody } from '../../src/policies/cache/storing-body.ts'
import { isStream } from '../../src/http/body.ts'

/**
 * Fills a store with replies whose bodies have so many octets, hands each out once, and prints as JSON what the store
 * says that it holds and what the process holds more than before. Run with --expose-gc.
 */
const [size = 0, count = 0] = process.argv.slice(2).map(Number)

const evictions: Counter = { add() {}, addWith() {} } as unknown as Counter
const store = new MemoryCacheStore(1024 ** 3, evictions)
const request = Buffer.from(
  `GET /item HTTP/1.1\r\nHost: h\r\nAccept-Language: de-CH, de;q=0.9\r\nCookie: ${'x'.repeat(900)}\r\n\r\n`,
)
const lent = Buffer.alloc(65_536, 'a')

function held(): number {
  for (let i = 0; i < 4; i++) globalThis.gc!()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** The body as it comes: whole, as a byte string, or in pieces that are only lent. */
function bodyOf(): Bytes {
  if (size <= 14_000) return Bytes.fromLatin1(lent.toString('latin1', 0, size)).kept()
  const kept: Bytes[] = []
  const source = { length: size, pipe() {}, resume() {}, cancel() {} }
  const body = new StoringBody(source, size, 'a client', (whole) => kept.push(whole!))
  body.pipe({ write: () => true, end() {}, fail() {} })
  for (let left = size; left > 0; left -= lent.length) body.write(lent.subarray(0, Math.min(left, lent.length)))
  body.end(null)
  return kept[0]!
}

function put(number: number): void {
  // As off the wire: what is kept of a head is a part of it.
  const text = request.toString('latin1')
  const sent = headersFromWire(text.slice(text.indexOf('Accept-Language')))
  const head = `HTTP/1.1 200 OK\r\nETag: "${number}-abcdefghijklmnop"\r\nLast-Modified: Mon, 15 Jan 2024 10:30:00 GMT\r\nVary: Accept-Language\r\nX-More: ${'y'.repeat(200)}\r\n\r\n`
  const headers = headersFromWire(Buffer.from(head).toString('latin1').slice(17, -2))
  const url = `h/item/${number}`
  const freshness = { lifetime: 60_000, staleWhileRevalidate: 0, staleIfError: 0, maxStale: true, guessed: false }
  const control = { directives: new Map<string, string>(), targeted: false }
  const arrival = { wall: 0, delay: 0 }
  const storable = { url, status: 200, headers, control, freshness, vary: ['accept-language'], arrival, now: 0 }
  const entry = makeEntry(fakeExchange({ headers: sent }), storable, bodyOf())
  store.put(`route http ${url} `, entry)
  const { body } = hitReply(entry, 0)
  if (body instanceof Bytes) {
    body.toLatin1()
    body.toBuffer()
  }
  if (isStream(body)) body.pipe({ write: () => true, end() {}, fail() {} })
}

for (let i = 0; i < 50; i++) put(i)
const [before, accounted] = [held(), store.usage().bytes]
for (let i = 0; i < count; i++) put(1000 + i)
process.stdout.write(JSON.stringify({ held: held() - before, accounted: store.usage().bytes - accounted }))
