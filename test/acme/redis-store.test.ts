import type { TestContext } from 'node:test'
import { connectRedis, type RedisPlace } from '../../src/redis/client.ts'
import { RedisAcmeStore } from '../../src/acme/redis-store.ts'
import { acmeStoreContract, type OpenStore } from '../support/acme-store-contract.ts'
import { cleanUp } from '../support/cleanup.ts'
import { connectTo, startCluster, startRedis, until } from '../support/redis.ts'

async function storesAt(t: TestContext, place: RedisPlace, expire: OpenStore['expire']): Promise<OpenStore> {
  const clients = Array.from({ length: 8 }, () => connectRedis({ place, tls: false, timeout: 1000 }))
  for (const client of clients) {
    cleanUp(t, () => client.disconnect())
    await until('Redis', () => client.status === 'ready')
  }
  let next = 0
  return { another: () => new RedisAcmeStore(clients[next++ % clients.length]!), expire }
}

acmeStoreContract('Redis', async (t) => {
  const server = await startRedis(t)
  const client = connectTo(t, server)
  return storesAt(t, { url: server.url }, async (...names) => {
    for (const name of names) await client.del(`sallyport:acme:{${name}}:lock`)
  })
})

acmeStoreContract('a Cluster', async (t) => {
  const servers = await startCluster(t)
  const cluster = servers.map(({ port }) => ({ host: '127.0.0.1', port }))
  const client = connectRedis({ place: { cluster }, tls: false, timeout: 1000 })
  cleanUp(t, () => client.disconnect())
  return storesAt(t, { cluster }, async (...names) => {
    for (const name of names) await client.del(`sallyport:acme:{${name}}:lock`)
  })
})
