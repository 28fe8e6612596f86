import type { Redis } from 'ioredis'
import type { Clock } from '../core/clock.ts'
import type { Metrics } from '../core/metrics.ts'
import type { OutageTools } from '../core/outage-log.ts'
import { connectRedis, type RedisClient, type RedisConfig } from './client.ts'
import { clusterNotReady, type Failure, failureOf, tooLate } from './failure.ts'
import { LoopTime } from './loop-time.ts'
import { Misses } from './misses.ts'
import { OperationMetrics } from './operation-metrics.ts'
import { Outage, type Trouble } from './outage.ts'
import { RedisUse, type Shared } from './use.ts'

/** A connection with pending commands on which nothing is received for this long, in milliseconds, is considered dead. */
const SILENCE = 2000

/** One thread's connection to Redis, shared by everything stored there, and its availability. */
export class RedisConnection implements Shared {
  readonly client: RedisClient
  readonly clock: Clock
  readonly server: Outage
  private readonly uses = new Map<string, RedisUse>()
  private readonly outages: Outage[]
  private readonly tools: OutageTools
  private readonly timeout: number
  private readonly answers: LoopTime
  private readonly silence: LoopTime
  private readonly misses: Misses
  private readonly metrics: Metrics
  private readonly endWatch: () => void
  private readonly operations = new Map<string, OperationMetrics>()
  /** Why connecting last failed, until a connection is established. */
  private last: Failure | null = null

  constructor(config: RedisConfig, tools: OutageTools, metrics: Metrics) {
    const { clock } = tools
    this.tools = tools
    this.clock = clock
    this.metrics = metrics
    this.timeout = config.timeout
    this.answers = new LoopTime(clock, config.timeout)
    this.silence = new LoopTime(clock, SILENCE)
    this.misses = new Misses(config.timeout)
    this.server = new Outage('all', tools)
    this.outages = [this.server]
    const up = (): number => (this.troubles.length === 0 ? 1 : 0)
    this.endWatch = metrics.watch('sallyport_store_up', { store: 'redis' }, up)
    this.client = connectRedis(config)
    this.listen(this.client)
  }

  /** The use of that name; all callers share one object per name. */
  use(name: string): RedisUse {
    const known = this.uses.get(name)
    if (known !== undefined) return known
    const outage = new Outage(name, this.tools)
    const use = new RedisUse(this, outage)
    this.outages.push(outage)
    this.uses.set(name, use)
    return use
  }

  /** The current problems. */
  get troubles(): Trouble[] {
    return this.outages.flatMap(({ trouble }) => trouble ?? [])
  }

  /** Resolves when Redis is available, or after `maxWait` ms. */
  connected(maxWait: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.client.status === 'ready') return resolve()
      const cancel = this.clock.after(maxWait, resolve)
      this.client.once('ready', () => {
        cancel()
        resolve()
      })
    })
  }

  close(): void {
    this.endWatch()
    for (const outage of this.outages) outage.close()
    this.answers.close()
    this.silence.close()
    this.client.disconnect()
  }

  metricsOf(operation: string): OperationMetrics {
    const known = this.operations.get(operation) ?? new OperationMetrics(this.metrics, operation)
    this.operations.set(operation, known)
    return known
  }

  wait(expired: () => void): () => boolean {
    return this.answers.wait(expired)
  }

  replied(): void {
    // In a Cluster, the new connection is likely to be to a different node.
    if (!this.client.isCluster) this.misses.clear()
  }

  missed(sentAt: number, again: () => Promise<unknown>): void {
    if (this.misses.add(sentAt, this.clock.now())) this.lost(tooLate(this.timeout), again)
  }

  failureOf(error: unknown): Failure {
    return failureOf(error, this.last)
  }

  lost(failure: Failure, again: () => Promise<unknown>): void {
    this.server.begin(failure, () => this.probe(again))
  }

  private listen(client: RedisClient): void {
    // The client library throws at once if the slot of a command has no node.
    const ping = async (): Promise<unknown> => client.ping()
    client.on('error', (error: unknown) => {
      this.last = failureOf(error)
      this.lost(this.last, ping)
    })
    client.on('node error', (error: unknown) => {
      this.last = failureOf(error)
    })
    let isReached = false
    client.on('connect', () => {
      isReached = client.isCluster
    })
    client.on('close', () => {
      if (!isReached) return
      isReached = false
      this.last = clusterNotReady()
      this.lost(this.last, ping)
    })
    client.on('ready', () => {
      isReached = false
      this.last = null
      // A server that was left because it is read-only is likely to be the same one again, so it is probed at the regular pace.
      if (this.server.down) return this.server.trouble?.cause === 'READONLY' ? undefined : this.server.probeNow()
      ping().catch((error: unknown) => {
        const failure = this.failureOf(error)
        if (failure.isGeneral) this.lost(failure, ping)
      })
    })
  }

  /** Whether Redis replies at all, even with an error, which is then for the caller to handle. A silent connection is closed. */
  private probe(again: () => Promise<unknown>): Promise<Failure | null> {
    const dead = watchNodes(this.client)
    return new Promise((resolve) => {
      const inTime = this.silence.wait(() => {
        // As long as a Cluster is not ready, commands wait, and the reason is known.
        const isWaiting = this.client.isCluster && this.client.status !== 'ready'
        if (!isWaiting || this.last === null) this.last = tooLate(SILENCE)
        for (const node of dead()) node.disconnect(true)
        resolve(this.last)
      })
      Promise.try(again).then(
        () => {
          inTime()
          this.misses.clear()
          resolve(null)
        },
        (error: unknown) => {
          inTime()
          const failure = this.failureOf(error)
          resolve(failure.isGeneral ? failure : null)
        },
      )
    })
  }
}

/** Pings every node. The returned function lists those that have not replied by then or have not even finished the handshake. */
function watchNodes(client: RedisClient): () => Redis[] {
  const nodes = 'nodes' in client ? client.nodes('master') : [client]
  const silent = new Map<Redis, 'ready' | 'connect'>()
  for (const node of nodes) {
    const { status } = node
    if (status === 'connect') silent.set(node, status)
    if (status !== 'ready') continue
    silent.set(node, status)
    const live = () => silent.delete(node)
    node.ping().then(live, live)
  }
  return () => [...silent].filter(([node, status]) => node.status === status).map(([node]) => node)
}
