import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { Policy } from '../policies/policy.ts'
import { errorReply, problemReply } from '../http/problem.ts'
import type { Reply } from '../http/reply.ts'
import type { TopicHandlers } from '../core/threads.ts'
import { UNTRACED } from '../http/trace.ts'
import { newTraceId } from '../http/trace-ids.ts'
import { newUuid } from '../core/uuid.ts'
import type { PoolSizes } from '../http/lane.ts'
import type { SlowReason } from '../http/server-handler.ts'
import type { ServerExchange } from '../http/server-exchange.ts'
import type { Receiver, Redirect } from '../listener/receiver.ts'
import type { RefusalReason } from '../proxy-protocol/arrivals.ts'
import { recentDetailsTopic, recentRequestsTopic } from '../telemetry/recent-requests.ts'
import { readingsTopic, type ThreadMetrics } from '../telemetry/metrics/thread-metrics.ts'
import { answerQuestion, explainTopic } from './explain/explanation.ts'
import { makeStringsFast } from './fast-strings.ts'
import type { ClientHello } from '../tls/client-hello.ts'
import type { Identity } from '../tls/server-identities.ts'
import { largestBody } from './body-limit.ts'
import { ChallengeAnswers } from './challenge-answers.ts'
import type { FrontOptions } from './front-options.ts'
import { Generation } from './generation.ts'
import { Generations } from './generations.ts'
import { createRefusedArrivalLogger, type RefusedArrivalLogger } from './refused-arrivals.ts'
import { answerOperators } from '../policies/generation-stores.ts'
import { threadStatus, threadStatusTopic } from './thread-status.ts'
import type { Opening, Sockets } from './listener-sockets.ts'
import { abandonTopic, commitTopic, type InstanceChange, type Preparation } from './next-generation.ts'
import type { Readiness } from './built-in-routes.ts'
import { RequestsPerClient } from './requests-per-client.ts'
import type { Telemetry } from './telemetry.ts'
import { type ListenerSettings, ThreadListeners } from './thread-listeners.ts'
import { ThreadParts } from './thread-parts.ts'
import { ThreadProxies } from './thread-proxies.ts'
import { Tunnels } from './tunnels.ts'
import { ThreadServiceTls } from './thread-service-tls.ts'

/** The work of one thread: its listeners, its stores, and the generation that handles requests. */
export class Front implements Receiver {
  private readonly clock: Clock
  /** The listeners required by the running configuration. */
  private settings: ListenerSettings
  private readonly parts: ThreadParts
  private readonly generations: Generations<Generation>
  private readonly listeners: ThreadListeners
  private readonly proxies: ThreadProxies
  private readonly serviceTls: ThreadServiceTls
  private readonly telemetry: Telemetry
  private readonly challenges: ChallengeAnswers
  private readonly perClient: RequestsPerClient
  private readonly tunnels: Tunnels
  private readonly logRefusedArrival: RefusedArrivalLogger

  /** Rejects if a policy cannot be created, and leaves nothing open in that case. */
  static async build(options: FrontOptions): Promise<Front> {
    const { config, policies, slots, discovered } = options
    makeStringsFast()
    const parts = new ThreadParts(options)
    const building = Generation.build({ config, policies, slots, discovered }, parts.tools, null)
    const generation = await building.catch(async (error: unknown) => {
      await parts.close()
      throw error
    })
    return new Front(options, parts, generation)
  }

  private constructor(options: FrontOptions, parts: ThreadParts, generation: Generation) {
    const { config, policies, output, answers, threads, clock, size } = options
    const { deadlines, metrics } = parts
    const { log } = output
    this.clock = clock
    this.settings = { config, body: largestBody(config, policies) }
    this.parts = parts
    this.telemetry = parts.telemetry
    // Request processing and forwarding.
    this.generations = new Generations(generation, options.generation, clock)
    // Sources of requests.
    const changed = (): void => this.listeners.reconsider()
    this.proxies = new ThreadProxies({ config, answers, threads, changed })
    this.serviceTls = new ThreadServiceTls({ config, services: generation.services, answers, threads })
    const { proxies } = this.proxies
    this.perClient = new RequestsPerClient(config.limits.perClient.requests, proxies)
    this.logRefusedArrival = createRefusedArrivalLogger(metrics, log, clock)
    this.listeners = new ThreadListeners({ receiver: this, proxies, deadlines, metrics, log, answers, threads, size })
    parts.overload.watch(() => this.listeners.arriving)
    this.challenges = new ChallengeAnswers(answers, threads)
    this.tunnels = new Tunnels({
      running: () => this.listeners.running(),
      left: () => this.listeners.left(),
      clock,
      metrics,
      log,
    })
    this.answer(options.worker, answers, metrics)
    answers.on(recentDetailsTopic, (id) => ({ worker: options.worker, ...this.telemetry.details(id) }))
    answers.on(explainTopic, ({ worker, question }) =>
      worker === options.worker
        ? answerQuestion(question, (toExplain) => this.generations.current.explain(toExplain))
        : null,
    )
  }

  /** Registers the handlers of this thread. */
  private answer(worker: number, answers: TopicHandlers, metrics: ThreadMetrics): void {
    answers.on(readingsTopic, (query) => metrics.read(query))
    answers.on(threadStatusTopic, () => {
      const { current, number } = this.generations
      return threadStatus(worker, number, current.services, this.connections, current.stores.redis)
    })
    answers.on(commitTopic, (number) => (this.generations.commit(number) ? this.descriptors : null))
    answers.on(abandonTopic, (number) => {
      this.generations.abandon(number)
      return null
    })
    answers.on(recentRequestsTopic, (filter) => this.telemetry.recent(filter))
    answerOperators(answers, () => this.generations.current.stores)
  }

  /**
   * Listens as specified by `opening`, on one address per listener of the configuration, and resolves with the actual addresses. Rejects
   * with the error of the first address that is unavailable.
   */
  async listen(opening: Opening): Promise<readonly Address[]> {
    await this.prepare()
    const listeners = await this.listeners.prepare(this.settings, opening)
    listeners.commit()
    return listeners.addresses
  }

  /** Loads everything that is needed before connections are accepted. */
  private async prepare(): Promise<void> {
    this.generations.current.takeOver()
    await this.proxies.prepare()
    await this.serviceTls.prepare()
    await this.challenges.prepare()
  }

  /**
   * Prepares another configuration with those policies, and resolves with the addresses it would listen on. Rejects with an Error that says
   * what prevents it, and leaves nothing behind in that case.
   */
  async prepareNext(
    next: Preparation,
    loading: Promise<readonly Policy[]>,
    sockets?: Sockets,
  ): Promise<readonly Address[]> {
    const { number, config, slots, discovered, addresses, shared, first } = next
    let listening: readonly Address[] = []
    await this.generations.prepare(number, async () => {
      const policies = await loading
      const { current } = this.generations
      const generation = await Generation.build({ config, policies, slots, discovered }, this.parts.tools, current)
      const settings = { config, body: largestBody(config, policies) }
      try {
        const opening = { shared, first, addresses: addresses ?? undefined, sockets }
        const listeners = await this.listeners.prepare(settings, opening)
        listening = listeners.addresses
        const commit = (): void => {
          listeners.commit()
          this.settings = settings
          this.configure(config, policies, generation)
        }
        return { generation, drainTimeout: config.drainTimeout, others: { commit, abandon: () => listeners.abandon() } }
      } catch (error) {
        generation.close()
        throw error
      }
    })
    return listening
  }

  /** Switches the services of the generation with that number to other instances; returns false if a different generation is in effect. */
  exchange({ number, services }: InstanceChange): boolean {
    const { generations } = this
    if (generations.number !== number) return false
    generations.current.exchange(services, this.settings.config.drainTimeout)
    this.serviceTls.renew()
    return true
  }

  private configure(config: GatewayConfig, policies: readonly Policy[], generation: Generation): void {
    this.telemetry.configure(config, policies)
    this.proxies.configure(config)
    this.serviceTls.configure(config, generation.services)
    this.perClient.configure(config)
    this.parts.overload.configure(config.overload, config.services)
    this.tunnels.keep(config)
    if (this.parts.readiness === 'ready') generation.start()
  }

  /** File descriptors of the listening sockets. Empty if the system has none. */
  get descriptors(): number[] {
    return this.listeners.descriptors
  }

  /** The first health checks are complete. */
  becomeReady(): void {
    if (this.parts.readiness !== 'starting') return
    this.parts.readiness = 'ready'
    this.generations.current.start()
  }

  /** Whether it accepts traffic. */
  get readiness(): Readiness {
    return this.parts.readiness
  }

  /** Number of open client connections. */
  get connections(): number {
    return this.listeners.connections
  }

  /** Number of connections and waiting requests with deadlines. */
  get watched(): number {
    return this.parts.deadlines.size
  }

  /** Service -> instance address -> its pool. */
  get pools(): PoolSizes {
    return this.generations.current.pools
  }

  /**
   * Reports itself as not ready, for load balancers to notice, but continues; on the addresses in `left`, another process accepts
   * connections from now on.
   */
  retire(left: readonly Address[] = []): void {
    this.parts.readiness = 'draining'
    this.listeners.retire(left)
  }

  /**
   * Stops accepting connections, lets exchanges finish within `timeout` ms, and closes everything. For the first `gracePeriod` ms, clients may
   * send another request. Resolves with the number of connections that were cut off.
   */
  async drain(timeout: number, gracePeriod = 0): Promise<number> {
    this.parts.readiness = 'draining'
    this.generations.current.stop()
    this.tunnels.close()
    const cutOff = await this.listeners.drain(timeout, this.clock, gracePeriod)
    this.generations.close()
    await this.parts.close()
    return cutOff
  }

  /** The thread is ending: aborts everything in progress, so that no client mistakes a partial reply for a complete one. */
  cutOff(): void {
    this.listeners.cutOff()
  }

  handle(exchange: ServerExchange, redirect: Redirect | null): Reply | Promise<Reply> {
    this.telemetry.begin(exchange)
    if (exchange.dropped !== null) this.parts.logDroppedFields(exchange.dropped)
    const challenge = this.challenges.answer(exchange)
    if (challenge !== null) return challenge
    if (redirect !== null) {
      const elsewhere = redirect.replyTo(exchange)
      if (elsewhere !== null) return elsewhere
    }
    this.perClient.begin(exchange)
    return this.generations.current.handle(exchange)
  }

  refuse(error: unknown, peer: string, exchange: ServerExchange | null): Reply {
    if (exchange !== null) {
      if (exchange.trace === UNTRACED) this.telemetry.begin(exchange)
      return errorReply(error, exchange)
    }
    const [id, traceId] = [newUuid(), newTraceId()]
    this.telemetry.refused(error, peer, id, traceId)
    return problemReply(error, id, traceId)
  }

  challenge(hello: ClientHello): Identity | null {
    return this.challenges.identity(hello)
  }

  slow(reason: SlowReason): void {
    this.telemetry.slow(reason)
  }

  refusedArrival(reason: RefusalReason, peer: string, detail: string): void {
    this.logRefusedArrival(reason, peer, detail)
  }

  done(exchange: ServerExchange, status: number, bytes: number, whole: boolean, cause: Error | null): void {
    this.perClient.end(exchange)
    this.telemetry.done(exchange, status, bytes, whole, cause)
  }
}
