import { Bytes } from '../../src/http/body.ts'
import { headersFromWire } from '../../src/http/headers.ts'
import { fakeExchange } from '../../src/testing/fake-exchange.ts'
import { hitReply } from '../../src/policies/cache/entry.ts'
import { makeEntry, withBody } from '../../src/policies/cache/make-entry.ts'
import { CacheStores } from '../../src/policies/cache/cache-stores.ts'
import { BodySender } from '../../src/policies/cache/stored-body.ts'
import { StoringBody } from '../../src/policies/cache/storing-body.ts'
import { isStream } from '../../src/http/body.ts'
import { storeTools } from './store-tools.ts'
import { TestCounter } from './test-counter.ts'

/**
 * Fills a store of that size in bytes with replies whose bodies have that size in bytes, reads each once, and prints as JSON how much more
 * memory the process uses than before, in bytes, and how many replies were evicted. Run with --expose-gc.
 */
const [memory = 0, size = 0] = process.argv.slice(2).map(Number)

const evictions = new TestCounter()
const store = new CacheStores(storeTools()).make('memory', memory, evictions)
const request = Buffer.from(
  `GET /item HTTP/1.1\r\nHost: h\r\nAccept-Language: de-CH, de;q=0.9\r\nCookie: ${'x'.repeat(900)}\r\n\r\n`,
)
const lent = Buffer.alloc(65_536, 'a')

function held(): number {
  for (let i = 0; i < 4; i++) globalThis.gc!()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

/** The body as it arrives: whole, as a byte string, or in pieces that are only lent. */
function bodyOf(): Bytes {
  if (size <= 14_000) return Bytes.fromLatin1(lent.toString('latin1', 0, size)).detached()
  const stored: Bytes[] = []
  const source = { length: size, pipe() {}, resume() {}, cancel() {} }
  const body = new StoringBody(source, size, 'a client', (whole) => typeof whole !== 'string' && stored.push(whole))
  body.pipe({ write: () => true, end() {}, fail() {} })
  for (let left = size; left > 0; left -= lent.length) body.write(lent.subarray(0, Math.min(left, lent.length)))
  body.end(null)
  return stored[0]!
}

function put(number: number): void {
  // As read from a connection: what is kept of a head is a slice of it.
  const text = request.toString('latin1')
  const sent = headersFromWire(text.slice(text.indexOf('Accept-Language')))
  const head = `HTTP/1.1 200 OK\r\nETag: "${number}-abcdefghijklmnop"\r\nLast-Modified: Mon, 15 Jan 2024 10:30:00 GMT\r\nVary: Accept-Language\r\nX-More: ${'y'.repeat(200)}\r\n\r\n`
  const headers = headersFromWire(Buffer.from(head).toString('latin1').slice(17, -2))
  const url = `h/item/${number}`
  const freshness = { lifetime: 60_000, staleWhileRevalidate: 0, staleIfError: 0, maxStale: true, guessed: false }
  const control = { directives: new Map<string, string>(), targeted: false }
  const arrival = { wall: 0, delay: 0 }
  const storable = { url, status: 200, headers, control, freshness, vary: ['accept-language'], arrival, now: 0 }
  const exchange = fakeExchange({ headers: sent })
  const entry = withBody(makeEntry(exchange, storable), bodyOf())
  const key = `route http ${url} `
  void store.put(key, entry, 1)
  const found = store.find(url, key, sent)
  if (found instanceof Promise || typeof found === 'string') return
  const { body } = hitReply(found, exchange, new BodySender(), 0)
  if (body instanceof Bytes) {
    body.toLatin1()
    body.toBuffer()
  }
  if (isStream(body)) body.pipe({ write: () => true, end() {}, fail() {} })
}

/** As in a gateway, where each request is answered in a turn of its own. */
async function fill(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    put(i)
    if (i % 50 === 0) await new Promise(setImmediate)
  }
}

await fill(50)
const before = held()
await fill((memory / (size + 700)) * 1.5)
await new Promise(setImmediate)
process.stdout.write(JSON.stringify({ held: held() - before, evicted: evictions.total }))
