import assert from 'node:assert/strict'
import { once } from 'node:events'
import test, { type TestContext } from 'node:test'
import type { RedisPlace } from '../src/redis/client.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import {
  client,
  connect,
  startSecureCluster,
  startSecureRedis,
  startSecureSentinel,
  trusted,
} from './support/redis-tls.ts'
import { until } from './support/redis.ts'
import { startService } from './support/service.ts'
import { authority } from './support/tls-service.ts'

const ca = authority.cert

const places: Readonly<Record<string, (t: TestContext) => Promise<RedisPlace>>> = {
  'a server': async (t) => ({ url: `redis://localhost:${await startSecureRedis(t)}` }),
  'a server by its address': async (t) => ({ url: `rediss://127.0.0.1:${await startSecureRedis(t)}` }),
  'Sentinels and their master': async (t) => ({ sentinels: { master: 'main', nodes: [await startSecureSentinel(t)] } }),
  'a Cluster': async (t) => ({ cluster: [await startSecureCluster(t)] }),
}

for (const [what, open] of Object.entries(places))
  test(`${what} can require TLS and a client certificate`, async (t) => {
    const redis = connect(t, await open(t))
    await until('a connection', () => redis.status === 'ready')
    assert.equal(await redis.set('key', 'value'), 'OK')
    assert.equal(await redis.get('key'), 'value')
  })

/** The reason why connecting fails. */
async function failure(t: TestContext, tls: Parameters<typeof connect>[2], host = 'localhost'): Promise<string> {
  const redis = connect(t, { url: `rediss://${host}:${await startSecureRedis(t)}` }, tls)
  const [error] = (await once(redis, 'error')) as [NodeJS.ErrnoException]
  return `${error.code} ${error.message}`
}

test('a Redis with a certificate of another CA or name is not used', async (t) => {
  assert.match(await failure(t, true), /UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED|UNABLE_TO_GET_ISSUER/)
  assert.match(await failure(t, { ...trusted, serverName: 'redis.internal' }), /^ERR_TLS_CERT_ALTNAME_INVALID/)
  assert.match(await failure(t, { ...trusted, serverName: '10.0.0.1' }), /^ERR_TLS_CERT_ALTNAME_INVALID/)
})

test('serverName is the expected name in the certificate, and insecure accepts any', async (t) => {
  const port = await startSecureRedis(t)
  for (const tls of [
    { ...trusted, serverName: '::1' },
    { ...client, serverName: 'other.example', insecure: true },
  ]) {
    const redis = connect(t, { url: `redis://127.0.0.1:${port}` }, tls)
    await until('a connection', () => redis.status === 'ready')
  }
})

test('a Redis that requires a client certificate rejects connections without one', async (t) => {
  assert.match(await failure(t, { ca }), /certificate required|handshake failure|ECONNRESET|EPIPE/i)
})

test('gateways share limits in a Redis with TLS', async (t) => {
  const service = await startService(t)
  const url = `redis://localhost:${await startSecureRedis(t)}`
  const limits = { 'rate-limit': { tiers: { unauthenticated: '2/h' } } } as const
  // Tests may have to wait for the machine longer than a client should for Redis.
  const redis = { url, timeout: '10s', tls: { ca, ...client } } as const
  const config = proxyTo(service.url, { stores: { redis }, policies: limits })
  const [one, other] = [await startGateway(t, config), await startGateway(t, config)]
  const statuses = [one, other, one].map(async ({ port }) => (await send(port)).status)
  assert.deepEqual(
    (await Promise.all(statuses)).toSorted((a, b) => a - b),
    [200, 200, 429],
  )
  assert.match((await send(one.port, { path: '/health' })).text, /"stores":\{"redis":"healthy"\}/)
})
