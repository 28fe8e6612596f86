import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test, { type TestContext } from 'node:test'
import { parse, stringify } from 'yaml'
import { send } from './support/client.ts'
import { start, temporaryFile } from './support/command.ts'
import { startFromText } from './support/file-gateway.ts'
import { connectTo, startCluster, startRedis, until } from './support/redis.ts'
import { type Printed, runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'

const DAY = 86_400_000
const SECRET = /^sp_[0-9a-f]{8}_[\w-]{43}$/

/** A configuration that accepts only API keys. */
function configOf(apiKey: object, more: object = {}): string {
  return stringify({
    listeners: [{ address: '127.0.0.1:0' }],
    policies: { auth: { methods: { 'api-key': apiKey }, failures: false } },
    routes: [{ id: 'all', match: { path: '/*' }, reply: { status: 200 } }],
    ...more,
  })
}

async function keysOf(t: TestContext, yaml: string) {
  const file = await temporaryFile(t, 'keys.yaml', yaml)
  return (...args: string[]): Promise<Printed> => runHere(['keys', ...args, '--config', file])
}

for (const [what, begin, open] of [
  ['in every worker, with a Redis', start, async (t: TestContext) => ({ url: (await startRedis(t)).url })],
  [
    'with a Cluster',
    startFromText,
    async (t: TestContext) => ({ cluster: (await startCluster(t)).map(({ port }) => `127.0.0.1:${port}`) }),
  ],
] as const)
  test(`a key works from its creation until it is revoked, ${what}`, async (t) => {
    const service = await startService(t)
    const yaml = configOf(
      { store: 'redis', cache: '50ms' },
      {
        workers: 2,
        stores: { redis: { timeout: '400ms', ...(await open(t)) } },
        services: { backend: { instances: [service.url], health: false } },
        routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
      },
    )
    const keys = await keysOf(t, yaml)
    const { port } = await begin(t, yaml)
    const made = await keys('create', '--id', 'partner', '--owner', 'alice', '--tier', 'gold', '--roles', 'a, b')
    assert.equal(made.code, 0, made.stderr)
    const secret = made.stdout.trim()
    assert.match(secret, SECRET)
    // A new connection each, so that both workers get some where there are two.
    const statuses = async () => {
      const ask = () => send(port, { headers: { 'X-API-Key': secret } })
      return new Set((await Promise.all(Array.from({ length: 20 }, ask))).map(({ status }) => status))
    }
    assert.deepEqual(await statuses(), new Set([200]))
    const { 'x-user-id': user, 'x-user-roles': roles, 'x-consumer-tier': tier, ...rest } = service.received[0]!.headers
    assert.deepEqual([user, roles, tier, rest['x-api-key']], ['alice', 'a,b', 'gold', undefined])
    const revoked = await keys('revoke', 'partner')
    assert.equal(revoked.code, 0, revoked.stderr)
    assert.match(revoked.stdout, /^The API key "partner" is revoked: every gateway refuses it within 0\.05 s\.$/m)
    await until('the key to be rejected', async () => !(await statuses()).has(200))
    assert.deepEqual(await statuses(), new Set([401]))
  })

test('keys in Redis are listed with their prefixes, never shown again, and have unique ids', async (t) => {
  const server = await startRedis(t)
  const ci = { id: 'ci', sha256: hash('sha256', 'the-key'), roles: ['deploy'] }
  const keys = await keysOf(t, configOf({ store: 'redis', keys: [ci] }, { stores: { redis: { url: server.url } } }))
  const secret = (await keys('create', '--id', 'b', '--expires', '90d')).stdout.trim()
  await keys('create', '--id', 'a', '--owner', 'alice', '--expires', '2099-12-31')
  const { stdout, code } = await keys('list')
  assert.equal(code, 0)
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((row) => row.split(/ {2,}/))
  const day = (time: number) => new Date(time).toISOString().slice(0, 10)
  const now = Date.now()
  assert.deepEqual(rows[0], ['ID', 'PREFIX', 'OWNER', 'TIER', 'ROLES', 'CREATED', 'EXPIRES', 'STORE'])
  assert.deepEqual(rows[1], ['ci', '-', 'ci', 'api_key', 'deploy', '-', '-', 'configuration'])
  assert.deepEqual(rows[2]!.toSpliced(1, 1).toSpliced(4, 1), ['a', 'alice', 'api_key', '-', '2099-12-31', 'redis'])
  assert.equal(rows[3]![1], secret.slice(0, 11))
  assert.ok([day(now + 90 * DAY), day(now + 90 * DAY - 60_000)].includes(rows[3]![6] ?? ''))
  assert.ok(!stdout.includes(secret.slice(11)))
  assert.ok(!JSON.stringify(await connectTo(t, server).hgetall('sallyport:api-keys')).includes(secret.slice(11)))
  for (const id of ['a', 'ci']) {
    const again = await keys('create', '--id', id)
    assert.equal(again.code, 1)
    assert.equal(again.stdout, '')
    assert.match(again.stderr, new RegExp(`API key "${id}" already`))
  }
  for (const [id, why] of [
    ['ci', /is in .*keys\.yaml: remove it there/],
    ['none', /There is no API key "none"/],
  ] as const) {
    const { code: failed, stderr } = await keys('revoke', id)
    assert.equal(failed, 1)
    assert.match(stderr, why)
  }
})

test('for keys in the configuration the lines to add are printed, and the key works with them', async (t) => {
  const before = configOf({ keys: [{ id: 'old', sha256: hash('sha256', 'old-key') }] })
  const keys = await keysOf(t, before)
  const { stdout, stderr } = await keys('create', '--id', 'new', '--roles', 'reader', '--expires', '1d')
  const secret = stdout.trim()
  assert.match(secret, SECRET)
  assert.ok(!stderr.includes(secret))
  const lines = parse(stderr.slice(stderr.indexOf('policies:'))) as { policies: object }
  const { port } = await startFromText(t, stringify({ ...(parse(before) as object), ...lines }))
  assert.equal((await send(port, { headers: { 'X-API-Key': secret } })).status, 200)
  assert.equal((await send(port, { headers: { 'X-API-Key': 'old-key' } })).status, 401)
})

test('a rotated key and its successor both work until the old one expires, and either can be revoked', async (t) => {
  const server = await startRedis(t)
  const yaml = configOf({ store: 'redis', cache: '50ms' }, { stores: { redis: { url: server.url, timeout: '5s' } } })
  const keys = await keysOf(t, yaml)
  const { port } = await startFromText(t, yaml)
  const status = async (secret: string) => (await send(port, { headers: { 'X-API-Key': secret } })).status
  const first = (await keys('create', '--id', 'ci')).stdout.trim()
  const { stdout, stderr, code } = await keys('rotate', 'ci', '--overlap', '7d', '--expires', '30d')
  const second = stdout.trim()
  assert.equal(code, 0, stderr)
  assert.match(second, SECRET)
  assert.match(
    stderr,
    new RegExp(`^The old one, ${first.slice(0, 11)}…, works until .*; gateways know that within 0.05 s\\.$`, 'm'),
  )
  assert.deepEqual([await status(first), await status(second)], [200, 200])
  assert.equal((await keys('list')).stdout.trimEnd().split('\n').length, 3)
  const revoked = await keys('revoke', 'ci', '--prefix', first.slice(0, 11))
  assert.match(revoked.stdout, /^The API key "ci" that begins with sp_.* is revoked/)
  await until('the old key to be rejected', async () => (await status(first)) === 401)
  assert.equal(await status(second), 200)
  assert.match((await keys('rotate', 'none')).stderr, /There is no API key "none"/)
})

test('for a key in the configuration, rotation prints the change to the file', async (t) => {
  const before = configOf({ keys: [{ id: 'ci', sha256: hash('sha256', 'old-key') }] })
  const keys = await keysOf(t, before)
  const { stdout, stderr } = await keys('rotate', 'ci')
  assert.match(stderr, /^\+ +sha256: [0-9a-f]{64}$/m)
  assert.match(stderr, /^\+ +expires: \d{4}-/m)
  assert.ok(stderr.includes(hash('sha256', stdout.trim())))
  assert.ok(!stderr.includes(stdout.trim()))
})

test('an unreachable Redis is reported in one line', async (t) => {
  const server = await startRedis(t)
  await server.kill()
  const keys = await keysOf(t, configOf({ store: 'redis' }, { stores: { redis: { url: server.url } } }))
  const ended = [keys('create', '--id', 'a'), keys('list'), keys('revoke', 'a')]
  for (const { code, stdout, stderr } of await Promise.all(ended)) {
    assert.equal(code, 1)
    assert.equal(stdout, '')
    assert.match(stderr, /^The Redis of stores\.redis cannot be used: .*ECONNREFUSED.*\n$/)
  }
})

test('invalid arguments are usage errors that say what is allowed', async (t) => {
  const keys = await keysOf(t, configOf({ keys: [] }))
  for (const [args, problem] of [
    [['create'], /^error: required option '--id <id>' not specified$/m],
    [['create', '--id', 'a b'], /^error: --id: expected 1 to 128 visible ASCII characters, and not "\." or "\.\."$/m],
    [['create', '--id', 'a', '--tier', ''], /^error: --tier: expected visible characters$/m],
    [['create', '--id', 'a', '--owner', '\u001b[31m'], /^error: --owner: expected visible characters$/m],
    [
      ['create', '--id', 'a', '--expires', 'soon'],
      /^error: --expires: expected a time such as "90d" or "12h", or a date/m,
    ],
    [['create', '--id', 'a', '--expires', '2020-01-01'], /^error: --expires: .* in the future$/m],
    [['create', '--id', 'a', '--expires', '999999d'], /^error: --expires: expected a time/m],
    [['create', '--id', 'a', '--expires', '0d'], /^error: --expires: expected a time/m],
    [['rotate', 'a', '--overlap', 'long'], /^error: --overlap: expected a time from "0s" to "365d"/m],
    [['revoke'], /^error: missing required argument 'id'$/m],
    [['burn'], /^error: unknown (?:command 'burn'|option)/m],
  ] as const) {
    const { code, stdout, stderr } = await keys(...args)
    assert.equal(code, 64, args.join(' '))
    assert.equal(stdout, '')
    assert.match(stderr, problem)
    assert.match(stderr, /^Usage: sallyport/m)
  }
})
