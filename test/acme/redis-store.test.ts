import type { TestContext } from 'node:test'
import { connectRedis, type RedisPlace } from '../../src/redis/client.ts'
import { RedisAcmeStore } from '../../src/acme/redis-store.ts'
import { acmeStoreContract, type OpenStore } from '../support/acme-store-contract.ts'
import { cleanUp } from '../support/cleanup.ts'
import { TIMEOUT } from '../support/timeout.ts'
import { connectTo, type RedisServer, startCluster, startRedis, until } from '../support/redis.ts'

/** Stores on the same Redis, which is flushed first. */
async function open(t: TestContext, place: RedisPlace, servers: readonly RedisServer[]): Promise<OpenStore> {
  await Promise.all(servers.map((server) => connectTo(t, server).flushall()))
  const clients = Array.from({ length: 8 }, () => connectRedis({ place, tls: false, timeout: TIMEOUT }))
  for (const client of clients) {
    cleanUp(t, () => client.disconnect())
    await until('Redis', () => client.status === 'ready')
  }
  let next = 0
  return {
    another: () => new RedisAcmeStore(clients[next++ % clients.length]!),
    expire: async (...names) => {
      for (const name of names) await clients[0]!.del(`sallyport:acme:{${name}}:lock`)
    },
  }
}

acmeStoreContract('Redis', async (t) => {
  const server = await startRedis(t)
  return (inner) => open(inner, { url: server.url }, [server])
})

acmeStoreContract('a Cluster', async (t) => {
  const servers = await startCluster(t)
  const cluster = servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  return (inner) => open(inner, { cluster }, servers)
})
