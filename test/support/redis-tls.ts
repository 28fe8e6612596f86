import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Address } from '../../src/core/address.ts'
import { connectRedis, type RedisClient, type RedisPlace, type RedisTls } from '../../src/redis/client.ts'
import { cleanUp } from './cleanup.ts'
import { freePorts, RedisServer, startRedis, temporaryFolder, until } from './redis.ts'
import { authority } from './tls-service.ts'

const HOST = '127.0.0.1'

/** A client certificate that the servers here accept. */
export const client = authority.issueClient()

/** The TLS options of the tests' own connections. */
export const trusted: RedisTls = { ca: authority.cert, ...client }

/** Options of a server that accepts only TLS, and only clients with a certificate of `authority`. */
async function secureOptions(t: TestContext, port: number): Promise<string[]> {
  const folder = await temporaryFolder(t)
  // Servers are also clients of each other.
  const { cert, key } = authority.issue({ purposes: ['server', 'client'] })
  for (const [name, text] of Object.entries({ ca: authority.cert, cert, key }))
    await writeFile(join(folder, name), text)
  return Object.entries({
    '--port': '0',
    '--tls-port': String(port),
    '--tls-auth-clients': 'yes',
    '--tls-replication': 'yes',
    '--tls-cluster': 'yes',
    '--tls-ca-cert-file': join(folder, 'ca'),
    '--tls-cert-file': join(folder, 'cert'),
    '--tls-key-file': join(folder, 'key'),
  }).flat()
}

/** Starts a Redis that uses TLS, and resolves with its port. */
export async function startSecureRedis(t: TestContext, ...further: string[]): Promise<number> {
  const [port] = await freePorts(1)
  await startRedis(t, ...(await secureOptions(t, port!)), ...further)
  return port!
}

/** A master and a Sentinel that watches it; resolves with the address of the Sentinel. */
export async function startSecureSentinel(t: TestContext): Promise<Address> {
  const master = await startSecureRedis(t)
  const [port] = await freePorts(1)
  const file = join(await temporaryFolder(t), 'sentinel.conf')
  const lines = (await secureOptions(t, port!)).join(' ').replaceAll(' --', '\n').replace('--', '')
  await writeFile(file, `bind ${HOST}\n${lines}\nsentinel monitor main ${HOST} ${master} 1\n`)
  const sentinel = new RedisServer(port!, [file, '--sentinel'])
  cleanUp(t, () => sentinel.kill())
  await sentinel.start()
  return { host: HOST, port: port! }
}

/** A Cluster with one master that has every slot; resolves with its address. */
export async function startSecureCluster(t: TestContext): Promise<Address> {
  const [bus] = await freePorts(1)
  const options = ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-announce-ip', HOST]
  const port = await startSecureRedis(t, ...options)
  const node = connect(t, { url: `rediss://${HOST}:${port}` })
  await until('the node to be ready', () => node.status === 'ready')
  await node.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
  await until('the Cluster to be ready', async () =>
    String(await node.call('CLUSTER', 'INFO')).includes('cluster_state:ok'),
  )
  return { host: HOST, port }
}

/** Connects the test to a Redis until the test ends. */
export function connect(t: TestContext, place: RedisPlace, tls: boolean | RedisTls = trusted): RedisClient {
  const redis = connectRedis({ place, tls, timeout: 1000 })
  cleanUp(t, () => redis.disconnect())
  return redis
}
