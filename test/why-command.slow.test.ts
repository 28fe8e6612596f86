import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { send } from './support/client.ts'
import { start } from './support/command.ts'
import { startFromText } from './support/file-gateway.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'
import { Terminal } from './support/terminal.ts'

async function setUp(t: TestContext, begin: typeof start | typeof startFromText, log = '') {
  const service = await startService(t, (request, response) => {
    response.statusCode = request.url === '/broken/1' ? 500 : 200
    if (request.url === '/books/long') response.end('a'.repeat(1_000_000))
    else response.end()
  })
  const other = await startService(t, (_, response) => void response.writeHead(503).end())
  const { port, adminPort } = await begin(
    t,
    `listeners: [{ address: '127.0.0.1:0' }]
admin: { address: '127.0.0.1:0' }
workers: 2
${log}
policies: { correlation-id: {}, rate-limit: { tiers: { unauthenticated: 3/h } } }
services:
  books: { instances: ['${service.url}'], health: false }
  gone: { instances: ['http://127.0.0.1:1', 'http://127.0.0.1:2', 'http://127.0.0.1:3'], health: false, passive: false }
  flaky: { instances: ['${other.url}', '${service.url}'], health: false, balancer: round-robin, passive: false }
routes:
  - { id: books, match: { path: /books/* }, service: books, policies: { rate-limit: false } }
  - { id: broken, match: { path: /broken/* }, service: books, policies: { rate-limit: false } }
  - { id: gone, match: { path: /gone/* }, service: gone, policies: { rate-limit: false } }
  - { id: flaky, match: { path: /flaky/* }, service: flaky, policies: { rate-limit: false } }
  - { id: cached, match: { path: /cached }, service: books, policies: { rate-limit: false, cache: { ttl: 60s } } }
  - { id: once, match: { path: /once }, service: books, policies: { rate-limit: false, idempotency: { methods: [GET] } } }
  - { id: limited, match: { path: /limited }, service: books }
`,
  )
  const at = ['--admin', `http://127.0.0.1:${adminPort}`]
  const ask = (path: string, id: string, headers = {}) =>
    send(port, { path, headers: { 'X-Correlation-ID': id, ...headers } })
  const why = async (id: string, ...args: string[]) => runHere(['why', id, ...at, ...args])
  const cause = async (id: string): Promise<string> => {
    const { stdout } = await why(id, '--json')
    return (JSON.parse(stdout) as { requests: { cause: string }[] }).requests[0]!.cause
  }
  return { service, other, at, ask, why, cause }
}

test('why explains the outcome of a request, whichever worker handled it, and exits with 1 if none did', async (t) => {
  const { service, other, ask, why, cause } = await setUp(t, start)
  for (const path of ['/books/1', '/broken/1', '/gone/1', '/nowhere']) await ask(path, `id${path.replaceAll('/', '-')}`)
  assert.equal(await cause('id-books-1'), `200: that is the reply of ${service.address} of books.`)
  assert.equal(await cause('id-broken-1'), `500: that is the reply of ${service.address} of books.`)
  assert.match(
    await cause('id-gone-1'),
    /^503: all 3 instances of gone that were asked could not be reached \(.*ECONNREFUSED.*\)\.$/,
  )
  assert.equal(await cause('id-nowhere'), '404: No route matches this request.')
  for (let i = 0; i < 4; i++) await ask('/limited', `limited-${i}`)
  assert.equal(await cause('limited-3'), '429: Rate limit exceeded.')
  // One of two goes to the instance that cannot.
  for (let i = 0; i < 2; i++) await ask('/flaky/1', `flaky-${i}`)
  const causes = [await cause('flaky-0'), await cause('flaky-1')].toSorted()
  assert.ok(
    causes.some((text) => text.includes(`${other.address} replied with 503`) || text.startsWith('503')),
    causes.join(),
  )
  const { code, stdout, stderr } = await why('another')
  assert.deepEqual([code, stdout], [1, ''])
  assert.match(stderr, /^No worker remembers a request with the correlation ID another\.\n/)
  assert.match(stderr, /Worker 0 remembers \d of 200/)
  assert.match(stderr, /Worker 1 remembers \d of 200/)
})

test('why says that a reply came from the cache, and how old it was', async (t) => {
  const { ask, cause } = await setUp(t, startFromText)
  for (const id of ['miss', 'hit']) await ask('/cached', id)
  assert.match(await cause('miss'), /^200: that is the reply of .* of books\.$/)
  assert.match(await cause('hit'), /^200: that is a stored reply from the cache, \d+ s old\.$/)
})

test('why shows route, attempts and time, and policy decisions if they were recorded', async (t) => {
  const { ask, why } = await setUp(t, startFromText, 'log: { access: { timings: true } }')
  await ask('/limited', 'one')
  const { code, stdout, stderr } = await why('one')
  assert.deepEqual([code, stderr], [0, ''])
  assert.match(stdout, /^200 GET \/limited\n/)
  assert.match(
    stdout,
    /\n {2}route +limited\n {2}service +books\n {2}rate-limit +limit unauthenticated, admitted, remaining 2\n/,
  )
  assert.match(stdout, /\n {2}time +services [\d.]+ ms, client 0 ms, gateway [\d.]+ ms\n/)
  assert.match(stdout, /\n {2}attempts 1\n {2}127\.0\.0\.1:\d+ +200 +[\d.]+ ms\n/)
  await ask('/gone/1', 'two')
  const { stdout: gone } = await why('two')
  assert.equal(gone.match(/127\.0\.0\.1:\d +connect +[\d.]+ ms +connect/g)!.length, 3)
})

test('why shows the time for sending a reply apart from that of the gateway', async (t) => {
  const { ask, why } = await setUp(t, startFromText)
  await ask('/books/long', 'long')
  const { stdout } = await why('long')
  assert.match(stdout, /\n {2}time +services [\d.]+ ms, client 0 ms, gateway [\d.]+ ms, sending [\d.]+ ms\n/)
})

test('why shows a decision once that the log has, too', async (t) => {
  const { ask, why } = await setUp(t, startFromText, 'log: { access: { timings: true } }')
  for (const id of ['first', 'repeat']) await ask('/once', id, { 'Idempotency-Key': '"one"' })
  const { stdout } = await why('repeat')
  assert.match(stdout, /\n {2}200: that is the stored reply to an earlier request with the same Idempotency-Key\.\n/)
  assert.equal(stdout.match(/^ {2}idempotency +replayed$/gm)?.length, 1, stdout)
})

test('why reports unrecorded policies, and has colors in a terminal', async (t) => {
  const { at, ask } = await setUp(t, startFromText)
  await ask('/gone/1', 'one')
  const terminal = new Terminal(t, ['why', 'one', ...at])
  assert.equal(await terminal.ended, 0)
  assert.ok(terminal.shown.includes('\x1b[31m503\x1b[0m'))
  assert.match(terminal.shown, /were not recorded/)
})
