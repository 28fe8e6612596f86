import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { cleanUp } from './cleanup.ts'
import { TIMEOUT } from './timeout.ts'

const HOST = '127.0.0.1'
const SLOTS = 16_384
/** Polling interval for conditions without a notification, in milliseconds. */
const LOOK_AGAIN = 20

/** A redis-server for tests. */
export class RedisServer {
  readonly port: number
  readonly url: string
  private readonly args: readonly string[]
  private child: ChildProcess | null = null

  constructor(port: number, args: readonly string[]) {
    this.port = port
    this.url = `redis://${HOST}:${port}`
    this.args = args
  }

  /** Starts the process; resolves when it accepts connections. */
  async start(): Promise<void> {
    const child = spawn('redis-server', this.args, { stdio: ['ignore', 'pipe', 'inherit'] })
    this.child = child
    let output = ''
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`redis-server does not start:\n${output}`)), TIMEOUT)
      child.stdout.on('data', (text: Buffer) => {
        output += text.toString()
        if (!/Ready to accept connections|Sentinel ID is/.test(output)) return
        clearTimeout(timer)
        resolve()
      })
      child.once('exit', () => reject(new Error(`redis-server ended:\n${output}`)))
    })
  }

  /** Kills the process, as a crash would. */
  async kill(): Promise<void> {
    const { child } = this
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  /** Suspends the process at an arbitrary point: its connections stay open and nothing answers. */
  pause(): void {
    this.child!.kill('SIGSTOP')
  }

  resume(): void {
    this.child!.kill('SIGCONT')
  }
}

/** Starts a Redis on a free port, without persistence, until the end of the test. */
export async function startRedis(t: TestContext, ...options: string[]): Promise<RedisServer> {
  const [port] = await freePorts(1)
  return run(t, port!, options)
}

/** Connects the test itself to a Redis. */
export function connectTo(t: TestContext, server: RedisServer): Redis {
  const client = new Redis(server.url, { protocol: 2 })
  client.on('error', () => {})
  cleanUp(t, () => client.disconnect())
  return client
}

/** A master, its replica, and a single Sentinel that watches them: with more Sentinels, electing a new master takes seconds. */
export async function startSentinels(t: TestContext) {
  const [masterPort, replicaPort, sentinelPort] = await freePorts(3)
  const master = await run(t, masterPort!, ['--repl-diskless-sync-delay', '0'])
  const replica = await run(t, replicaPort!, ['--replicaof', HOST, String(masterPort)])
  // A Sentinel that finds no replica when it starts looks for one again only after ten seconds.
  const copy = connectTo(t, replica)
  await until('the replica to be in sync', async () =>
    (await copy.info('replication')).includes('master_link_status:up'),
  )
  const file = join(await temporaryFolder(t), 'sentinel.conf')
  const watch = `sentinel monitor main ${HOST} ${masterPort} 1\nsentinel down-after-milliseconds main 300\n`
  await writeFile(file, `port ${sentinelPort}\nbind ${HOST}\n${watch}`)
  const sentinel = new RedisServer(sentinelPort!, [file, '--sentinel'])
  cleanUp(t, () => sentinel.kill())
  await sentinel.start()
  const observer = connectTo(t, sentinel)
  await until('the Sentinel to know the replica', async () => {
    const replicas = await observer.call('SENTINEL', 'REPLICAS', 'main')
    return Array.isArray(replicas) && replicas.length === 1
  })
  return { master, replica, sentinel }
}

/** A node of a Cluster without slots. */
export async function startClusterNode(t: TestContext): Promise<RedisServer> {
  const [port, clusterPort] = await freePorts(2)
  return run(t, port!, ['--cluster-enabled', 'yes', '--cluster-port', String(clusterPort)])
}

/** A Cluster of three masters. */
export async function startCluster(t: TestContext): Promise<RedisServer[]> {
  const ports = await freePorts(6)
  const options = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-port']
  const servers = await Promise.all([0, 1, 2].map((i) => run(t, ports[i]!, [...options, String(ports[i + 3])])))
  const clients = servers.map((server) => connectTo(t, server))
  for (const [i, client] of clients.entries()) {
    const [first, last] = [i, i + 1].map((part) => Math.floor((part * SLOTS) / servers.length))
    await client.call('CLUSTER', 'ADDSLOTSRANGE', first!, last! - 1)
    if (i > 0) await clients[0]!.call('CLUSTER', 'MEET', HOST, servers[i]!.port, ports[i + 3]!)
  }
  for (const client of clients)
    await until('the Cluster to be complete', async () => {
      const info = String(await client.call('CLUSTER', 'INFO'))
      return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')
    })
  return servers
}

/** Polls until the condition is true. */
export async function until(what: string, reached: () => boolean | Promise<boolean>): Promise<void> {
  const end = performance.now() + TIMEOUT
  while (!(await reached())) {
    if (performance.now() > end) throw new Error(`waited for ${what}`)
    await delay(LOOK_AGAIN)
  }
}

async function run(t: TestContext, port: number, options: readonly string[]): Promise<RedisServer> {
  const folder = await temporaryFolder(t)
  const place = ['--port', String(port), '--bind', HOST, '--dir', folder]
  const args = [...place, '--save', '', '--appendonly', 'no', ...options]
  const server = new RedisServer(port, args)
  cleanUp(t, () => server.kill())
  await server.start()
  return server
}

/** A folder that exists until the end of the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-redis-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  return folder
}

/** Below the ephemeral ports, which the system might assign to another process before the server listens. */
const [MIN, MAX] = [12_000, 32_000]

/** Ports on which nothing listens. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listenSomewhere()))
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

async function listenSomewhere(): Promise<Server> {
  for (;;) {
    const server = createServer().listen(randomInt(MIN, MAX), HOST)
    try {
      await once(server, 'listening')
      return server
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    }
  }
}
