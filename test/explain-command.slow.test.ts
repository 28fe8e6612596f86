import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { Explanation } from '../src/front/explain/explanation.ts'
import { send } from './support/client.ts'
import { start, temporaryFile } from './support/command.ts'
import { startFromText } from './support/file-gateway.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'
import { Terminal } from './support/terminal.ts'

const routes = (service: string): string => `listeners: [{ address: '127.0.0.1:0' }]
admin: { address: '127.0.0.1:0' }
workers: 2
services:
  books: { instances: ['${service}'], health: false, balancer: round-robin }
policies:
  correlation-id: {}
  auth: { methods: { jwt: { secret: a secret of at least thirty-two characters } } }
routes:
  - { id: books, match: { path: /books/* }, service: books, rewrite: { strip: /books } }
  - { id: drafts, match: { path: /books/*, headers: { X-Draft: 'yes' } }, service: books }
  - { id: hello, match: { path: /hello }, reply: { status: 204 }, policies: { auth: false } }
`

async function setUp(t: TestContext, begin: typeof start | typeof startFromText = startFromText) {
  const service = await startService(t)
  const { adminPort } = await begin(t, routes(service.url))
  return { service, at: ['--admin', `http://127.0.0.1:${adminPort}`] }
}

/** The output, without its variable parts. */
function shown(stdout: string): string[] {
  return stdout
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'ADDRESS')
    .split('\n')
    .filter((line) => line !== '')
}

test('explain prints how a running gateway handles a request, as plain text if not in a terminal', async (t) => {
  const { at } = await setUp(t, start)
  const { code, stdout, stderr } = await runHere([
    'explain',
    'GET',
    '/books/7',
    '--as',
    'user:42',
    '--roles',
    'a,b',
    ...at,
  ])
  assert.deepEqual([code, stderr], [0, ''])
  assert.deepEqual(shown(stdout), [
    'GET http://ADDRESS/books/7',
    'from 127.0.0.1, by ADDRESS, worker 0; consumer: 42 (authenticated, a, b)',
    'path',
    '  /books/7',
    'routes',
    '  ✗ drafts  /books/*  header x-draft is missing',
    '  ✓ books   /books/*',
    '  1 for other paths',
    'policies',
    '  ✓ correlation-id  global  request: sets X-Correlation-ID; reply: sets X-Correlation-ID',
    '  ✓ auth            global  accepted, credential assumed, tier authenticated; request: sets X-User-ID, X-User-Roles, X-Consumer-Tier',
    'service',
    '  rewrite strip /books',
    '  books round-robin',
    '  → ADDRESS  healthy, 0 in flight',
    'sent',
    '  GET /7 to books',
    '  Host: ADDRESS',
    '  X-Correlation-ID: ID',
    '  X-User-ID: 42',
    '  X-User-Roles: a,b',
    '  X-Consumer-Tier: authenticated',
    '  X-Forwarded-For: 127.0.0.1',
    '  X-Forwarded-Proto: http',
    '  X-Forwarded-Host: ADDRESS',
    '  Via: 1.1 sallyport',
    '  X-Forwarded-Prefix: /books',
    '  the reply of the service gets',
    '  X-Correlation-ID: ID',
  ])
})

test('explain --json prints JSON, and exits with 0 whatever the status of the reply', async (t) => {
  const { at } = await setUp(t)
  const { code, stdout } = await runHere(['explain', 'GET', '/books/7', '--token', 'a.b.c', '--json', ...at])
  const told = JSON.parse(stdout) as Explanation
  assert.deepEqual([code, told.outcome, told.status, told.code], [0, 'replied', 401, 'unauthorized'])
})

test('explain says what auth lacks, once', async (t) => {
  const file = await temporaryFile(t, 'new.yaml', routes('http://127.0.0.1:1'))
  const { stdout } = await runHere(['explain', 'GET', '/books/7', '--config', file])
  assert.ok(shown(stdout).includes('  ✗ auth            global  401 unauthorized: Missing token'), stdout)
})

test('explain says why a key of an earlier request is refused, once', async (t) => {
  const { url } = await startService(t)
  const { port, adminPort } = await startFromText(
    t,
    routes(url).replace(
      'service: books, rewrite',
      'policies: { auth: false, idempotency: {} }, service: books, rewrite',
    ),
  )
  const headers = { 'Idempotency-Key': '"one"' }
  await send(port, { method: 'POST', path: '/books/7', headers, body: 'a' })
  const at = ['--admin', `http://127.0.0.1:${adminPort}`]
  const { stdout } = await runHere(['explain', 'POST', '/books/7', '-H', 'Idempotency-Key: "one"', '-d', 'b', ...at])
  assert.match(stdout, /✗ idempotency +route +422 idempotency-key-reused: .*Use another key for each request\.\n/)
})

test('explain has colors in a terminal', async (t) => {
  const { at } = await setUp(t)
  const terminal = new Terminal(t, ['explain', 'GET', '/nowhere', ...at])
  assert.equal(await terminal.ended, 0)
  assert.ok(terminal.shown.includes('\x1b[31m✗ no route matches\x1b[0m'), terminal.shown)
  assert.match(stripVTControlCharacters(terminal.shown), /reply\n {2}404 not-found: No route matches this request\./)
})

test('explain with a file works without a gateway, and lists what is unknown', async (t) => {
  const file = await temporaryFile(t, 'new.yaml', routes('http://127.0.0.1:1'))
  const { code, stdout, stderr } = await runHere([
    'explain',
    'POST',
    'https://api.example.com/books/7',
    '-H',
    'X-Draft: yes',
    '--as',
    'user:42',
    '--config',
    file,
  ])
  assert.deepEqual([code, stderr], [0, ''])
  const lines = shown(stdout)
  assert.equal(lines[0], 'POST https://api.example.com/books/7')
  assert.ok(lines.includes('  ✓ drafts  /books/*'))
  assert.ok(lines.includes('  · books   /books/*  another route takes precedence'))
  assert.ok(lines.includes('  POST /books/7 to books'))
  assert.match(lines.at(-1)!, /^note: No gateway was asked/)
})

test('explain with a file shows one instance for those of a service with discovery', async (t) => {
  const discovered = `services: { books: { discover: { dns: { name: books.internal, port: 8001 } } } }`
  const file = await temporaryFile(
    t,
    'new.yaml',
    `${discovered}\nroutes: [{ id: books, match: { path: /* }, service: books }]`,
  )
  const { code, stdout, stderr } = await runHere(['explain', 'GET', '/books', '--config', file])
  assert.deepEqual([code, stderr], [0, ''])
  const lines = shown(stdout)
  assert.ok(lines.includes('  → discovered:80  unknown, 0 in flight'), stdout)
  assert.ok(lines.includes('  GET /books to books'))
  assert.match(lines.at(-1)!, /^note: The instances of the service are discovered by a running gateway/)
})

for (const [what, args, message] of [
  ['an invalid URL', ['GET', 'books', '--config', 'FILE'], /books: expected https:\/\/host\/path/],
  ['an invalid header', ['GET', '/', '-H', 'X'], /expected "Name: value"/],
  ['roles without a consumer', ['GET', '/', '--roles', 'a'], /add --as/],
  ['two targets', ['GET', '/', '--config', 'FILE', '--admin', 'http://127.0.0.1:1'], /cannot be used together/],
] as const)
  test(`explain rejects ${what}`, async (t) => {
    const file = await temporaryFile(t, 'sallyport.yaml', routes('http://127.0.0.1:1'))
    const { code, stderr } = await runHere(['explain', ...args.map((arg) => (arg === 'FILE' ? file : arg))])
    assert.equal(code, 64)
    assert.match(stderr, message)
  })

test('explain reports an unreachable gateway and exits with 1', async () => {
  const { code, stderr } = await runHere(['explain', 'GET', '/', '--admin', 'http://127.0.0.1:1'])
  assert.equal(code, 1)
  assert.match(stderr, /does not answer/)
})
