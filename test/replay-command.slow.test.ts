import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startDemo } from './support/demo.ts'
import { startFromText } from './support/file-gateway.ts'
import { runHere, type Surroundings } from './support/run-here.ts'
import { startService } from './support/service.ts'

interface Group {
  readonly count: number
  readonly text: string
  readonly examples: readonly { line: number; url: string }[]
}

interface Report {
  readonly requests: number
  readonly same: number
  readonly changed: number
  readonly undecided: number
  readonly changes: readonly Group[]
  readonly reasons: readonly Group[]
  readonly malformed: number
}

const START = Date.parse('2026-11-29T10:00:00.000Z')

/** A line of the access log, for a request after that many seconds. */
function line(parts: Record<string, unknown> = {}, second = 0): string {
  return JSON.stringify({
    level: 'info',
    timestamp: new Date(START + second * 1000).toISOString(),
    method: 'GET',
    url: 'http://shop.test/users/1',
    status_code: 200,
    duration_ms: 1.5,
    user_id: null,
    correlation_id: 'a',
    trace_id: null,
    user_agent: 'curl',
    ip_address: '192.0.2.1',
    route: 'users',
    service: 'users',
    instance: '127.0.0.1:1',
    code: null,
    bytes: 5,
    ...parts,
    message: 'API Gateway Request',
  })
}

const OLD = `
services:
  users: { instances: ['http://127.0.0.1:1'] }
  orders: { instances: ['http://127.0.0.1:2'] }
routes:
  - { id: users, match: { path: /users/* }, service: users }
  - { id: orders, match: { path: /orders/* }, service: orders }
`

/** Files in their own folder, and the command in it. */
async function workshop(t: TestContext, files: Readonly<Record<string, string | Buffer>>) {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  const command = (args: string, surroundings: Surroundings = {}) =>
    runHere(['replay', ...args.split(' ')], { ...surroundings, cwd: folder })
  const report = async (args: string, surroundings?: Surroundings) => {
    const { code, stdout, stderr } = await command(`${args} --json`, surroundings)
    assert.ok(code === 0 || code === 2, stderr)
    return { code, ...(JSON.parse(stdout) as Report) }
  }
  return { folder, command, report }
}

const texts = (groups: readonly Group[]) => groups.map(({ count, text }) => [count, text])

test('requests with another service or without a route are listed with examples, the most frequent first', async (t) => {
  const log = [
    ...Array.from({ length: 4 }, (_, i) => line({ url: `http://shop.test/users/${i}` }, i)),
    line({ url: 'http://shop.test/orders/1', route: 'orders', service: 'orders', method: 'POST', status_code: 201 }, 5),
    line(
      { url: 'http://shop.test/other', route: '', service: null, instance: null, code: 'not-found', status_code: 404 },
      6,
    ),
  ].join('\n')
  const next = OLD.replace('- { id: users, match: { path: /users/* }, service: users }', '').replace(
    'service: orders }',
    'service: orders-v2 }',
  )
  const files = { 'a.log': log, 'sallyport.yaml': OLD, 'new.yaml': next.replace('orders: {', 'orders-v2: {') }
  const { command } = await workshop(t, files)
  const { code, stdout, stderr } = await command('a.log --against new.yaml')
  assert.deepEqual([code, stderr], [2, ''])
  assert.deepEqual(stdout.split('\n'), [
    '5 of 6 change, 2026-11-29T09:59:59.998Z to 2026-11-29T10:00:05.998Z',
    '',
    '  4  now 404 not-found (route users removed)',
    '       line 1: GET http://shop.test/users/0  200 users → 404 not-found',
    '       line 2: GET http://shop.test/users/1  200 users → 404 not-found',
    '       line 3: GET http://shop.test/users/2  200 users → 404 not-found',
    '  1  → orders-v2 (route orders)',
    '       line 5: POST http://shop.test/orders/1  201 orders → 201 orders-v2',
    '',
  ])
})

test('replaying a log against its own configuration shows no changes', async (t) => {
  const log = [
    line(),
    line({ status_code: 502, code: 'bad-gateway', level: 'error' }, 1),
    line({ status_code: 429, code: 'rate-limited', instance: null }, 2),
    line({ route: '', service: null, instance: null, code: 'bad-request', status_code: 400, url: '/%zz' }, 3),
    line({ method: 'OPTIONS', status_code: 204, instance: null }, 4),
    line({ route: 'gone', service: 'gone' }, 5),
  ].join('\n')
  const { report } = await workshop(t, { 'a.log': log, 'sallyport.yaml': OLD, 'same.yaml': OLD })
  const { code, changed, requests } = await report('a.log --against same.yaml')
  assert.deepEqual([code, changed, requests], [0, 0, 6])
})

const LIMITED = `
policies: { rate-limit: { tiers: { unauthenticated: 3/m, authenticated: 3/m } } }
${OLD}`

test('rate limits use the time in the log, separately for each client', async (t) => {
  const from = (address: string, second: number, status = 200) =>
    line(
      { ip_address: address, ...(status === 429 && { code: 'rate-limited', instance: null }), status_code: status },
      second,
    )
  const log = [
    ...[0, 10, 20].map((second) => from('192.0.2.1', second)),
    from('192.0.2.1', 30, 429),
    ...[31, 32].map((second) => from('192.0.2.2', second)),
    ...[70, 71, 72].map((second) => from('192.0.2.1', second)),
  ].join('\n')
  const files = {
    'a.log': log,
    'sallyport.yaml': LIMITED,
    'one.yaml': LIMITED.replace('unauthenticated: 3/m', 'unauthenticated: 1/m'),
    'five.yaml': LIMITED.replace('unauthenticated: 3/m', 'unauthenticated: 5/m'),
  }
  const { report } = await workshop(t, files)
  const same = await report('a.log --against sallyport.yaml')
  assert.deepEqual([same.code, same.same, same.undecided], [0, 9, 0])
  const fewer = await report('a.log --against one.yaml')
  assert.deepEqual(texts(fewer.changes), [[5, 'now 429 rate-limited (route users)']])
  const more = await report('a.log --against five.yaml')
  assert.deepEqual(texts(more.changes), [[1, 'no longer 429 rate-limited: sent to users (route users)']])
  assert.deepEqual([more.undecided, more.same], [0, 8])
})

test('limits that were partly used before the log starts are undecided, not changed', async (t) => {
  const log = [line(), line({ status_code: 429, code: 'rate-limited', instance: null }, 1), line({}, 100)].join('\n')
  const next = LIMITED.replace('unauthenticated: 3/m', 'unauthenticated: 4/m')
  const { report } = await workshop(t, { 'a.log': log, 'old.yaml': LIMITED, 'next.yaml': next })
  for (const [args, reason] of [
    ['--config old.yaml', 'depend on what was counted before the log begins, or elsewhere'],
    ['', 'depend on what was counted before the log begins'],
  ] as const) {
    const { code, changed, reasons } = await report(`a.log ${args} --against next.yaml`.replace('  ', ' '))
    assert.deepEqual([code, changed, texts(reasons)], [0, 0, [[1, reason]]])
  }
})

test('requests are sorted by their start', async (t) => {
  const late = line({ status_code: 429, code: 'rate-limited', instance: null }, 3)
  const log = [late, line({ duration_ms: 10_000 }, 10), line({}, 1), line({}, 2)].join('\n')
  const { report } = await workshop(t, { 'a.log': log, 'sallyport.yaml': LIMITED })
  const { same, undecided } = await report('a.log --against sallyport.yaml')
  assert.deepEqual([same, undecided], [4, 0])
})

const VERSIONED = `${OLD}  - { id: users-v2, match: { path: /users/*, headers: { X-Version: '2' } }, service: orders }
`

test('a change that depends on a header is undecided unless the header was logged', async (t) => {
  const log = [
    line(),
    line({ headers: { 'x-version': '2' } }, 1),
    line({ headers: { 'x-version': null } }, 2),
    line({ url: '/orders/1', route: 'orders', service: 'orders' }, 3),
  ].join('\n')
  const { report } = await workshop(t, { 'a.log': log, 'sallyport.yaml': OLD, 'new.yaml': VERSIONED })
  const { changes, reasons, same } = await report('a.log --against new.yaml')
  assert.deepEqual(texts(changes), [[1, '→ orders (route users → users-v2)']])
  assert.deepEqual(texts(reasons), [[1, 'depend on the header x-version: log it with log.access.headers']])
  assert.equal(same, 2)
  const own = await report('a.log --config new.yaml --against new.yaml')
  assert.equal(own.changed, 0)
})

test('a redacted query parameter or an unnamed listener makes a change undecided', async (t) => {
  const next = `${OLD.replace(
    '- { id: orders',
    `- { id: token, match: { path: /users/*, query: { token: abc } }, service: orders }
  - { id: inner, match: { path: /orders/*, listener: [inner] }, service: users }
  - { id: orders`,
  )}
listeners: [{ name: outer, address: '127.0.0.1:8000' }, { name: inner, address: '127.0.0.1:8001' }]
`
  const order = { url: '/orders/1', route: 'orders', service: 'orders' }
  const log = [
    line({ url: '/users/1?token=[redacted]' }),
    line({ url: '/users/1?page=[redacted]' }, 1),
    line(order, 2),
    line({ ...order, listener: 'outer' }, 3),
    line({ ...order, listener: 'inner' }, 4),
  ].join('\n')
  const { report } = await workshop(t, { 'a.log': log, 'sallyport.yaml': OLD, 'new.yaml': next })
  const { changes, reasons, same } = await report('a.log --against new.yaml')
  assert.deepEqual(texts(changes), [[1, '→ users (route orders → inner)']])
  assert.deepEqual(texts(reasons), [
    [1, 'depend on the query parameter token, which the log redacts'],
    [1, 'depend on the listener: log it with log.access.replay'],
  ])
  assert.equal(same, 2)
})

const KEY = createHash('sha256').update('a key').digest('hex')
const AUTH = `
policies:
  auth: { public: [/users/open], methods: { api-key: { keys: [{ id: partner, sha256: '${KEY}' }] } } }
  rate-limit: { tiers: { unauthenticated: 100/h, authenticated: 100/h } }
${OLD}`

test('the caller is taken from the log, as far as it is known', async (t) => {
  const partner = { user_id: 'partner', api_key: 'partner' }
  const log = [
    line(partner),
    line({ status_code: 401, code: 'unauthorized', instance: null }, 1),
    line({ url: '/users/open' }, 2),
    line({ ...partner, url: '/orders/1', route: 'orders', service: 'orders', tier: 'api_key', roles: 0 }, 3),
    line({ ...partner, url: '/orders/2', route: 'orders', service: 'orders' }, 4),
  ].join('\n')
  const files = {
    'a.log': log,
    'sallyport.yaml': AUTH,
    'closed.yaml': AUTH.replace('/users/open', '/nothing'),
    'open.yaml': AUTH.replace('/users/open', '/users/*'),
    'roles.yaml': AUTH.replace(
      'service: orders }',
      'service: orders, policies: { auth: { require: { roles: [admin] } } } }',
    ),
    'none.yaml': AUTH.replace('/* }, service: users }', '/* }, service: users, policies: { auth: false } }'),
    'keys.yaml': AUTH.replace('id: partner', 'id: other'),
  }
  const { report } = await workshop(t, files)
  const own = await report('a.log --against sallyport.yaml')
  assert.deepEqual([own.same, own.changed, own.undecided], [5, 0, 0])
  assert.deepEqual(texts((await report('a.log --against closed.yaml')).changes), [
    [1, 'now 401 unauthorized (route users)'],
  ])
  assert.deepEqual(texts((await report('a.log --against open.yaml')).changes), [
    [1, 'no longer 401 unauthorized: sent to users (route users)'],
  ])
  const roles = await report('a.log --against roles.yaml')
  assert.deepEqual(texts(roles.changes), [[1, 'now 403 forbidden (route orders)']])
  assert.deepEqual(texts(roles.reasons), [
    [1, 'depend on whether callers meet the new requirements: roles, scopes or rules'],
  ])
  const keys = await report('a.log --against keys.yaml')
  assert.deepEqual(texts(keys.reasons), [[4, 'depend on credentials, whose methods have changed']])
  // If nobody required credentials, it is unknown whether there were any.
  const asked = line({ url: '/users/3' })
  const unasked = await workshop(t, { ...files, 'a.log': asked })
  const { reasons } = await unasked.report('a.log --config none.yaml --against sallyport.yaml')
  assert.deepEqual(texts(reasons), [[1, 'depend on credentials that were not checked when the log was written']])
})

test('unchanged rules decide as logged, and new rules are undecided', async (t) => {
  const withRule = (rule: string) =>
    AUTH.replace('service: users }', `service: users, policies: { auth: { require: { allow: '${rule}' } } } }`)
  const partner = { user_id: 'partner', api_key: 'partner' }
  const log = [line(partner), line({ ...partner, status_code: 403, code: 'forbidden', instance: null }, 1)].join('\n')
  const old = withRule('headers["x-tenant"] == "a"')
  const moved = old.replace('/orders/*', '/order/*')
  const files = { 'a.log': log, 'sallyport.yaml': old, 'moved.yaml': moved, 'new.yaml': withRule('method == "GET"') }
  const { report } = await workshop(t, files)
  const same = await report('a.log --against moved.yaml')
  assert.deepEqual([same.same, same.changed, same.undecided], [2, 0, 0])
  const { changed, reasons } = await report('a.log --against new.yaml')
  assert.deepEqual(
    [changed, texts(reasons)],
    [0, [[2, 'depend on whether callers meet the new requirements: roles, scopes or rules']]],
  )
})

test('limits of a tier that was not logged are undecided', async (t) => {
  const next = AUTH.replace('authenticated: 100/h }', 'authenticated: 100/h, gold: 1/h, api_key: 1/h }')
  const partner = { user_id: 'partner', api_key: 'partner' }
  const log = [
    line(partner),
    line({ ...partner, tier: 'silver' }, 1),
    line({ ...partner, tier: 'gold' }, 2),
    line({ ...partner, tier: 'gold' }, 3),
  ]
  const { report } = await workshop(t, { 'a.log': log.join('\n'), 'sallyport.yaml': AUTH, 'new.yaml': next })
  const { changes, reasons } = await report('a.log --against new.yaml')
  assert.deepEqual(texts(changes), [[1, 'now 429 rate-limited (route users)']])
  assert.deepEqual(texts(reasons), [[1, 'depend on the tier of the caller: log it with log.access.replay']])
})

test('policies that read bodies decide as logged, unless they have changed', async (t) => {
  const valid = (limit: string) =>
    OLD.replace('service: orders }', `service: orders, policies: { validation: { body: { limit: ${limit} } } } }`)
  const order = { url: '/orders/1', route: 'orders', service: 'orders', method: 'POST' }
  const log = [
    line({ ...order, status_code: 422, code: 'unprocessable-content', instance: null }),
    line({ ...order, status_code: 201 }, 1),
    line({}, 2),
  ].join('\n')
  const moved = valid('1kb').replace('/users/*', '/people/*')
  const files = { 'a.log': log, 'sallyport.yaml': valid('1kb'), 'new.yaml': valid('2kb'), 'moved.yaml': moved }
  const { report } = await workshop(t, files)
  const { reasons, changed } = await report('a.log --against new.yaml')
  assert.equal(changed, 0)
  assert.deepEqual(texts(reasons), [
    [2, 'depend on the policy validation, which has changed and uses more than is logged'],
  ])
  const { changes, undecided } = await report('a.log --against moved.yaml')
  assert.deepEqual(texts(changes), [[1, 'now 404 not-found (route users no longer matches them)']])
  assert.equal(undecided, 0)
})

test('unreadable lines are listed with their numbers, and other log lines are skipped', async (t) => {
  const { message: _, ...rest } = JSON.parse(line()) as Record<string, unknown>
  const log = [
    '{"level":"info","message":"Sallyport is listening"}',
    'no JSON \u001b[2J',
    line(),
    '',
    JSON.stringify({ ...rest, timestamp: 'yesterday', message: 'API Gateway Request' }),
    `{"x":"${'x'.repeat(300_000)}"}`,
    '[1]',
  ].join('\n')
  const { command } = await workshop(t, { 'a.log': log, 'sallyport.yaml': OLD })
  const { code, stdout } = await command('a.log --against sallyport.yaml')
  assert.equal(code, 0)
  assert.match(stdout, /^0 of 1 change,/)
  assert.match(
    stdout,
    /\n3 lines cannot be read:\n {2}line 2: it is not a JSON object: no JSON \\u001b\[2J\n {2}line 5: it is a line of the access log without a valid timestamp: /,
  )
  assert.match(stdout, / lines? from other parts of the log (?:was|were) skipped/)
})

test('the log can be compressed, split, or read from standard input', async (t) => {
  const files = {
    'a.log.gz': Buffer.concat([gzipSync(`${line()}\n`), gzipSync(`${line({}, 1)}\n`)]),
    'broken.gz': gzipSync(line()).subarray(0, 40),
    'sallyport.yaml': OLD,
  }
  const { report, command } = await workshop(t, files)
  assert.equal((await report('a.log.gz --against sallyport.yaml')).requests, 2)
  const broken = await command('broken.gz --against sallyport.yaml')
  assert.equal(broken.code, 1)
  assert.match(broken.stderr, /^broken\.gz: cannot be read: /)
})

test('input that cannot be replayed exits with 1', async (t) => {
  const { command, folder } = await workshop(t, {
    'a.log': line(),
    'text.log': '200 GET / 1.7ms\n',
    'other.log': '{"message":"other"}\n',
    'empty.log': '',
    'sallyport.yaml': OLD,
    'bad.yaml': 'routes: [',
  })
  for (const [args, said] of [
    ['none.log --against sallyport.yaml', /^none\.log: no such file\.$/m],
    ['. --against sallyport.yaml', /^\.: is a folder; expected a file in it\.$/m],
    [
      'text.log --against sallyport.yaml',
      /^text\.log has no lines of an access log in JSON \(log\.format: json\); line 1: it is not a JSON object\./,
    ],
    ['other.log --against sallyport.yaml', /^other\.log has 1 line, which is not from the access log\./],
    ['empty.log --against sallyport.yaml', /^empty\.log is empty\./],
    ['a.log --against bad.yaml', /bad\.yaml:1:/],
    ['a.log --against none.yaml', /none\.yaml/],
  ] as const) {
    const { code, stderr, stdout } = await command(args)
    assert.deepEqual([code, stdout], [1, ''], args)
    assert.match(stderr, said)
  }
  const { code, stderr } = await command('a.log --against sallyport.yaml --sample 2')
  assert.equal(code, 64)
  assert.match(stderr, /--sample: expected a number above 0, up to 1, not "2"/)
  await appendFile(join(folder, 'a.log'), '\n')
})

test('a sample contains some clients with all of their requests', async (t) => {
  const log = Array.from({ length: 400 }, (_, i) => line({ ip_address: `192.0.2.${i % 100}` }, i)).join('\n')
  const { report } = await workshop(t, { 'a.log': log, 'sallyport.yaml': OLD })
  const { requests } = await report('a.log --against sallyport.yaml --sample 0.5')
  assert.ok(requests > 100 && requests < 300 && requests % 4 === 0, String(requests))
})

test('logged headers, tier, roles and listener are used by the replay', async (t) => {
  const service = await startService(t)
  const yaml = `listeners: [{ name: main, address: '127.0.0.1:0' }]
log: { access: { headers: [X-Version], replay: true } }
services: { users: { instances: ['${service.url}'], health: false } }
policies:
  auth: { public: [/*], methods: { api-key: { keys: [{ id: partner, sha256: '${KEY}', roles: [a, b], tier: gold }] } } }
  request-headers: { set: { X-Version: gateway } }
routes: [{ id: users, match: { path: /users/* }, service: users }]
`
  const { log, port } = await startFromText(t, yaml)
  await send(port, { path: '/users/1', headers: { 'X-API-Key': 'a key', 'X-Version': 'é"2\\' } })
  await send(port, { path: '/users/2' })
  await log.line({ url: `http://127.0.0.1:${port}/users/2` })
  assert.deepEqual(
    log.requests.map(({ headers, tier, roles, listener }) => [headers, tier, roles, listener]),
    [
      [{ 'x-version': 'é"2\\' }, 'gold', 2, 'main'],
      [{ 'x-version': null }, undefined, undefined, 'main'],
    ],
  )
})

test('the log of the example platform replays without changes, and is mostly decided', async (t) => {
  const { port, log } = await startDemo(t)
  const login = await send(port, {
    method: 'POST',
    path: '/api/v1/auth/login',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ email: 'alice@example.com', password: 'wonderland' }),
  })
  const { token } = JSON.parse(login.text) as { token: string }
  for (const path of ['/api/v1/products', '/api/v1/orders', '/api/v1/users/me', '/nowhere', '/api/v1/roles', '/health'])
    for (const headers of [{}, { Authorization: `Bearer ${token}` }, { Authorization: 'Bearer nonsense' }])
      await send(port, { path, headers })
  await send(port, {
    method: 'POST',
    path: '/api/v1/orders',
    headers: { 'Content-Type': 'application/json' },
    body: '{}',
  })
  await send(port, {
    method: 'OPTIONS',
    path: '/api/v1/orders',
    headers: { Origin: 'https://shop.test', 'Access-Control-Request-Method': 'POST' },
  })
  const yaml = new URL('../sallyport.yaml', import.meta.url).pathname
  const { report } = await workshop(t, { 'a.log': log.requests.map((each) => JSON.stringify(each)).join('\n') })
  const env = { JWT_SECRET: 'a secret of at least thirty-two characters' }
  for (const args of [`--config ${yaml} --against ${yaml}`, `--against ${yaml}`]) {
    const { requests, changed, undecided, reasons } = await report(`a.log ${args}`, { env })
    assert.ok(requests > 15)
    assert.equal(changed, 0)
    assert.ok(undecided <= requests * 0.05, JSON.stringify(texts(reasons)))
  }
})
