import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { start, stop } from '../../bench/children.ts'
import { freePort, whenListening } from '../../bench/proxy.ts'
import { DnsServer } from './dns-server.ts'
import type { Drill, Span, Stage } from './drill.ts'
import { Client, type Failure } from './load/client.ts'
import { openLoop } from './load/open-loop.ts'
import { Tally } from './load/tally.ts'
import type { Addresses, Peer, Place, Told } from './peers/peer.ts'
import type { Result } from './results.ts'
import { ServiceInstance } from './service/instance.ts'

const NAME = 'service.drill'
const TTL = 2
/** When the trouble began and ended, in milliseconds of performance.now(). */
interface Trouble {
  readonly from: number
  readonly to: number
}

/** Like `perform`, but a peer that cannot run the drill is skipped, with the reason. */
export async function performOrSkip(drill: Drill, peer: Peer, short: boolean, parent: string): Promise<Result> {
  try {
    return await perform(drill, peer, short, parent)
  } catch (error) {
    const skipped = error instanceof Error ? error.message : String(error)
    return { ...nothing(drill, peer, short), skipped }
  }
}

/**
 * Runs one drill with one peer.
 *
 * 1. Start the instances, and the DNS server if there is one.
 * 2. Start the peer, and wait until it answers.
 * 3. Warm up, then send requests while things go wrong.
 * 4. Collect what the peer reports, and stop everything that was started, whatever the result.
 */
export async function perform(drill: Drill, peer: Peer, short: boolean, parent: string): Promise<Result> {
  const span = short ? drill.short : drill.span
  const dir = join(parent, `${drill.name}-${peer.name}`)
  await mkdir(dir, { recursive: true })
  const deliveries = new Map<string, number>()
  await using scope = new AsyncDisposableStack()
  // 1.
  const stage = await setUp(drill, scope, (id) => deliveries.set(id, (deliveries.get(id) ?? 0) + 1))
  // 2.
  const place: Place = { port: await freePort(), adminPort: await freePort(), dir, service: addresses(stage) }
  const child = start(await peer.prepare(place), null)
  scope.defer(() => stop(child))
  const client = new Client(place.port, drill.patience)
  scope.defer(() => client.close())
  await whenListening(async () => {
    const failure = await client.send(null)
    if (failure !== null) throw new Error(`${peer.name} answers with ${failure}`)
  }, child)
  // 3.
  const load = new Load(drill, client)
  await load.run(drill.warmUp)
  load.forget()
  const [trouble] = await Promise.all([makeTrouble(drill, span, stage), load.run(span.total)])
  // 4.
  const told = (await peer.told?.(place)) ?? null
  return summary(drill, peer, short, { load, trouble, told, twice: sentTwice(deliveries) })
}

/** The requests of a drill and their outcomes. */
class Load {
  gets = new Tally()
  posts = new Tally()
  private readonly drill: Drill
  private readonly client: Client
  private ids = 0

  constructor(drill: Drill, client: Client) {
    this.drill = drill
    this.client = client
  }

  /** Sends requests for that many seconds, and waits until all are answered or have timed out. */
  async run(seconds: number): Promise<void> {
    const { gets, posts } = this.drill
    const pending: Promise<void>[] = []
    await Promise.all([
      openLoop(gets, seconds, (due) => pending.push(this.send(this.gets, due, null))),
      openLoop(posts, seconds, (due) => pending.push(this.send(this.posts, due, String(this.ids++)))),
    ])
    await Promise.all(pending)
  }

  /** Resets the counts. */
  forget(): void {
    this.gets = new Tally()
    this.posts = new Tally()
  }

  private async send(tally: Tally, due: number, id: string | null): Promise<void> {
    const { client, drill } = this
    tally.begun(performance.now() - due)
    let failure: Failure = await client.send(id)
    for (let again = 0; failure !== null && again < drill.clientRetries; again++) {
      await delay(Math.random() * 50)
      failure = await client.send(id)
    }
    tally.add(due, performance.now() - due, failure)
  }
}

async function setUp(drill: Drill, scope: AsyncDisposableStack, delivered: (id: string) => void): Promise<Stage> {
  const { behavior, isNamed } = drill
  const port = await freePort()
  const instances: ServiceInstance[] = []
  for (let i = 0; i < drill.instances; i++) {
    // Instances with a DNS name share the port.
    const [host, itsPort] = isNamed ? [`127.0.1.${i + 1}`, port] : ['127.0.0.1', await freePort()]
    const instance = new ServiceInstance(host, itsPort, behavior, delivered)
    scope.defer(() => instance.end())
    await instance.start()
    instances.push(instance)
  }
  if (!isNamed) return { instances, dns: null }
  const first = instances.slice(0, instances.length / 2).map(({ host }) => host)
  const dns = await DnsServer.start(NAME, TTL, first)
  scope.defer(() => dns.close())
  return { instances, dns }
}

function addresses({ instances, dns }: Stage): Addresses {
  const port = instances[0]?.port ?? 0
  if (dns !== null) return { name: dns.name, port, server: `127.0.0.1:${dns.port}` }
  return { instances: instances.map(({ address }) => address) }
}

async function makeTrouble(drill: Drill, { from, to }: Span, stage: Stage): Promise<Trouble> {
  await delay(from * 1000)
  const begun = performance.now()
  await drill.begin(stage)
  await delay(begun + (to - from) * 1000 - performance.now())
  await drill.end(stage)
  return { from: begun, to: performance.now() }
}

function sentTwice(deliveries: ReadonlyMap<string, number>): number {
  return Array.from(deliveries.values()).filter((times) => times > 1).length
}

interface Outcome {
  readonly load: Load
  readonly trouble: Trouble
  readonly told: Told | null
  readonly twice: number
}

function summary(drill: Drill, peer: Peer, short: boolean, { load, trouble, told, twice }: Outcome): Result {
  const { gets, posts } = load
  const { from, to } = trouble
  const failing = gets.failing()
  const recovery = gets.recovery(to)
  const seconds = (to - from) / 1000
  return {
    ...nothing(drill, peer, short),
    seconds: rounded(seconds),
    gets: gets.failures(),
    posts: { ...posts.failures(), twice },
    p50: rounded(gets.percentile(0.5)),
    p99: rounded(gets.percentile(0.99)),
    max: rounded(gets.percentile(1)),
    firstFailure: failing === null ? null : rounded(Math.max(0, failing[0] - from) / 1000),
    lastFailure: failing === null ? null : rounded(Math.max(0, failing[1] - from) / 1000),
    recovery: recovery === null ? null : recovery / 1000,
    goodput: rounded(gets.answered(from, to) / seconds),
    late: rounded(gets.lateness()),
    ejections: told?.ejections ?? null,
    shed: told?.shed ?? null,
  }
}

function nothing(drill: Drill, peer: Peer, short: boolean): Result {
  const none = { sent: 0, failed: 0, reasons: {} }
  return {
    drill: drill.name,
    peer: peer.name,
    version: peer.version() ?? 'unknown',
    date: new Date().toISOString(),
    short,
    skipped: null,
    seconds: 0,
    gets: none,
    posts: { ...none, twice: 0 },
    p50: 0,
    p99: 0,
    max: 0,
    firstFailure: null,
    lastFailure: null,
    recovery: null,
    goodput: 0,
    late: 0,
    ejections: null,
    shed: null,
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
