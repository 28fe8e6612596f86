/**
 * API keys that operators create, rotate and revoke over the admin API: in the workers of two gateways that share a
 * Redis, and in a configuration file.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import test, { type TestContext } from 'node:test'
import { stringify } from 'yaml'
import { keyList } from '../src/admin/keys/schemas.ts'
import { type AdminAsk, requestAdmin } from './support/admin.ts'
import { send } from './support/client.ts'
import { startCommand, temporaryFile } from './support/command.ts'
import { startFromFile } from './support/file-gateway.ts'
import { connectTo, startRedis, until } from './support/redis.ts'
import { startService } from './support/service.ts'
import { quickDigestOf } from './support/password.ts'

const TOKEN = 'token-of-the-operators'
const PASSWORD = 'a password of theirs'
const SECRET = /^sp_[0-9a-f]{8}_[\w-]{43}$/

/** A gateway that requires an API key: with two workers, unless `begin` starts it in this process. */
async function startGate<Started extends { readonly port: number; readonly adminPort: number }>(
  t: TestContext,
  begin: (t: TestContext, file: string) => Promise<Started>,
  apiKey: object,
  more: object = {},
) {
  const service = await startService(t)
  const digest = quickDigestOf(PASSWORD)
  const text = stringify({
    workers: 2,
    admin: {
      address: '127.0.0.1:0',
      token: TOKEN,
      users: [
        { name: 'vera', password: digest, role: 'viewer' },
        { name: 'otto', password: digest, role: 'operator' },
      ],
    },
    endpoints: { docs: false, openapi: false },
    listeners: [{ address: '127.0.0.1:0' }],
    overload: false,
    services: { shop: { instances: [service.url], health: false } },
    policies: { auth: { methods: { 'api-key': apiKey }, failures: false } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'shop' }],
    ...more,
  })
  const file = await temporaryFile(t, 'sallyport.yaml', text)
  const started = await begin(t, file)
  const { port, adminPort } = started
  const ask = (path: string, { headers, ...what }: AdminAsk = {}) =>
    requestAdmin(adminPort, path, { ...what, headers: { Authorization: `Bearer ${TOKEN}`, ...headers } })
  /** The distinct replies to requests with a key, each over its own connection, so that both workers get some. */
  const statuses = async (secret: string): Promise<number[]> => {
    const replies = await Promise.all(
      Array.from({ length: 12 }, () => send(port, { headers: { 'X-API-Key': secret } })),
    )
    return [...new Set(replies.map(({ status }) => status))]
  }
  const listed = async () => keyList.parse((await ask('/keys')).json)
  const logIn = async (name: string) => {
    const { headers } = await requestAdmin(adminPort, '/login', { method: 'POST', json: { name, password: PASSWORD } })
    const cookie = String(headers['set-cookie']).split(';', 1)[0]!
    return (path: string, what: AdminAsk = {}) =>
      requestAdmin(adminPort, path, { ...what, headers: { Cookie: cookie } })
  }
  return { ...started, file, ask, statuses, listed, logIn, service }
}

/** Two gateways that share a Redis and cache its answers for an hour: changes still apply at once. */
async function startTwo(t: TestContext) {
  const redis = await startRedis(t)
  const stores = { redis: { url: redis.url, timeout: '5s' } }
  const [a, b] = [
    await startGate(t, startCommand, { store: 'redis', cache: '1h' }, { stores }),
    await startGate(t, startCommand, { store: 'redis', cache: '1h' }, { stores }),
  ]
  const observer = connectTo(t, redis)
  await until('both gateways to subscribe', async () => {
    const [, count] = (await observer.pubsub('NUMSUB', 'sallyport:operations:0')) as [string, number]
    return count === 2
  })
  const everywhere = async (secret: string) => [await a.statuses(secret), await b.statuses(secret)]
  return { redis, observer, a, b, everywhere }
}

const ALL = [[200], [200]]
const NONE = [[401], [401]]

test('a key is created, rotated with an overlap and revoked in all workers of all gateways at once', async (t) => {
  const { observer, a, b, everywhere } = await startTwo(t)
  const json = { id: 'partner', owner: 'alice', tier: 'gold', roles: ['a', 'b'], expires: '90d' }
  const made = await a.ask('/keys', { method: 'POST', json })
  assert.equal(made.status, 201)
  assert.equal(made.headers['cache-control'], 'no-store')
  const first = String(made.json['key'])
  assert.match(first, SECRET)
  assert.deepEqual([made.json['done'], made.json['configuration']], [true, null])
  assert.deepEqual(await everywhere(first), ALL)
  const { 'x-user-id': user, 'x-user-roles': roles, 'x-consumer-tier': tier } = a.service.received[0]!.headers
  assert.deepEqual([user, roles, tier], ['alice', 'a,b', 'gold'])

  const rotated = await b.ask('/keys/partner/rotate', { method: 'POST', json: { overlap: '1h' } })
  assert.equal(rotated.status, 200)
  const second = String(rotated.json['key'])
  assert.notEqual(second, first)
  assert.equal((rotated.json['replicas'] as unknown[]).length, 2)
  assert.deepEqual([await everywhere(first), await everywhere(second)], [ALL, ALL])
  const { keys } = await a.listed()
  assert.deepEqual(
    keys.map(({ id, prefix, replaced }) => [id, prefix, replaced]),
    [
      ['partner', second.slice(0, 11), false],
      ['partner', first.slice(0, 11), true],
    ],
  )
  assert.equal(keys[0]!.expiresAt, made.json['expiresAt'])
  const left = Date.parse(keys[1]!.expiresAt!) - Date.now()
  assert.ok(left > 0 && left <= 3_600_000)
  assert.ok(keys.every(({ lastUsedAt }) => lastUsedAt !== null))

  const old = await a.ask(`/keys/partner?prefix=${first.slice(0, 11)}`, { method: 'DELETE' })
  assert.deepEqual(old.json['revoked'], [{ prefix: first.slice(0, 11) }])
  assert.deepEqual([await everywhere(first), await everywhere(second)], [NONE, ALL])
  assert.equal((await b.ask('/keys/partner', { method: 'DELETE' })).status, 200)
  assert.deepEqual(await everywhere(second), NONE)
  assert.deepEqual((await a.listed()).keys, [])
  assert.equal((await a.ask('/keys/partner', { method: 'DELETE' })).status, 404)

  // Each change is logged with its user; keys are neither in the log nor in Redis.
  const changes = [
    await a.command.line('An operator has created an API key'),
    await b.command.line('An operator has rotated an API key'),
    await a.command.line('An operator has revoked an API key'),
    await b.command.line('An operator has revoked an API key'),
  ]
  for (const { key, by } of changes) assert.deepEqual([key, by], ['partner', 'token'])
  const told =
    JSON.stringify([a.command.log, b.command.log]) + JSON.stringify(await observer.hgetall('sallyport:api-keys'))
  for (const secret of [first, second]) assert.ok(!told.includes(secret.slice(12)))
})

/** Applies the patch of an answer to the file, and reloads the gateway. */
async function applyPatch(
  file: string,
  json: Record<string, unknown>,
  ask: (path: string, what: AdminAsk) => Promise<{ status: number }>,
) {
  const { patch } = json['configuration'] as { patch: string | null }
  assert.ok(patch !== null)
  execFileSync('git', ['apply', '--unidiff-zero'], { cwd: dirname(file), input: patch, stdio: 'pipe' })
  assert.equal((await ask('/config/reload', { method: 'POST' })).status, 200)
  return patch
}

test('changing a key of the configuration returns a patch of the file, with the digest instead of the key', async (t) => {
  const old = { id: 'old', sha256: hash('sha256', 'old-key'), roles: ['reader'] }
  const jwt = { secret: 'a-shared-secret-of-thirty-two-bytes' }
  const gate = await startGate(
    t,
    startFromFile,
    { keys: [old] },
    {
      policies: { auth: { methods: { jwt, 'api-key': { keys: [old] } }, failures: false } },
    },
  )
  const { file, ask, statuses, listed } = gate
  const before = await readFile(file, 'utf8')
  const made = await ask('/keys', { method: 'POST', json: { id: 'new', roles: ['reader'] } })
  const first = String(made.json['key'])
  assert.deepEqual([made.status, made.json['done']], [201, false])
  assert.equal(await readFile(file, 'utf8'), before)
  assert.deepEqual(await statuses(first), [401])
  const patch = await applyPatch(file, made.json, ask)
  assert.ok(patch.includes(hash('sha256', first)))
  for (const secret of [first.slice(12), jwt.secret, old.sha256]) assert.ok(!patch.includes(secret))
  assert.deepEqual(await statuses(first), [200])

  const rotated = await ask('/keys/new/rotate', { method: 'POST', json: { overlap: '1h' } })
  const second = String(rotated.json['key'])
  await applyPatch(file, rotated.json, ask)
  assert.deepEqual([await statuses(first), await statuses(second), await statuses('old-key')], [[200], [200], [200]])
  assert.deepEqual(
    (await listed()).keys.map(({ id, prefix, replaced }) => [id, prefix, replaced]),
    [
      ['old', null, false],
      ['new', second.slice(0, 11), false],
      ['new', first.slice(0, 11), true],
    ],
  )
  const revoked = await ask(`/keys/new?prefix=${first.slice(0, 11)}`, { method: 'DELETE' })
  await applyPatch(file, revoked.json, ask)
  assert.deepEqual([await statuses(first), await statuses(second)], [[401], [200]])
  const atOnce = await ask('/keys/new/rotate', { method: 'POST', json: { overlap: '0s' } })
  await applyPatch(file, atOnce.json, ask)
  assert.deepEqual([await statuses(second), await statuses(String(atOnce.json['key']))], [[401], [200]])
  for (const id of ['old', 'new']) await applyPatch(file, (await ask(`/keys/${id}`, { method: 'DELETE' })).json, ask)
  assert.deepEqual((await listed()).keys, [])
})

test('where configurations may be sent, an admin gets the one with the change, and can apply it', async (t) => {
  const admin = (writable: boolean) => ({ admin: { address: '127.0.0.1:0', token: TOKEN, writable } })
  const changeOf = (answer: { json: Record<string, unknown> }) =>
    answer.json['configuration'] as { send: { text: string; etag: string } | null }
  const create = { method: 'POST', json: { id: 'partner' } }
  const old = { id: 'old', sha256: hash('sha256', 'old-key') }
  const closed = await startGate(t, startFromFile, { keys: [old] }, admin(false))
  assert.equal(changeOf(await closed.ask('/keys', create)).send, null)

  const gate = await startGate(t, startFromFile, { keys: [old] }, admin(true))
  const apply = async (answer: { json: Record<string, unknown> }) => {
    const { text: body, etag } = changeOf(answer).send!
    const headers = { 'Content-Type': 'application/yaml', 'If-Match': etag }
    return (await gate.ask('/config', { method: 'PUT', body, headers })).status
  }
  const made = await gate.ask('/keys', create)
  const first = String(made.json['key'])
  assert.ok(!changeOf(made).send!.text.includes(first.slice(12)))
  assert.deepEqual([await gate.statuses(first), await apply(made), await gate.statuses(first)], [[401], 200, [200]])
  assert.equal(await apply(made), 412, 'the configuration has changed since')
  const rotated = await gate.ask('/keys/partner/rotate', { method: 'POST', json: { overlap: '0s' } })
  const second = String(rotated.json['key'])
  assert.equal(await apply(rotated), 200)
  assert.deepEqual([await gate.statuses(first), await gate.statuses(second)], [[401], [200]])
  assert.equal(await apply(await gate.ask('/keys/partner', { method: 'DELETE' })), 200)
  assert.deepEqual(await gate.statuses(second), [401])
})
