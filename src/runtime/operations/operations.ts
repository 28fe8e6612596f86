import { hostname } from 'node:os'
import type { Clock } from '../../core/clock.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Logger } from '../../core/logger.ts'
import type { Counter, Metrics } from '../../core/metrics.ts'
import type { RunOnReplicas, Operation, ReplicaReport } from '../../core/operation.ts'
import { newUuid } from '../../core/uuid.ts'
import type { RedisConfig } from '../../redis/client.ts'
import { type ChannelReplies, ReplicaChannel } from './channel.ts'
import type { Question, ReplicaAnswer } from './messages.ts'

/**
 * Maximum number of concurrent operations requested by other gateways; more are dropped. Those that only read are not limited, as all
 * gateways ask at once when Redis is back.
 */
const AT_ONCE = 16
const ALONE: ChannelReplies = { answers: [], unreached: null }

export interface OperationsOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** Called whenever the other gateways on a Redis can be asked, for the first time or again. */
  readonly connected: () => void
}

/** Runs an operation with unvalidated arguments; returns its result, or 'malformed' if they are invalid. */
type Run = (input: unknown) => Promise<object | 'malformed'>

/** The local implementation of an operation. */
interface Known {
  readonly run: Run
  /** What this gateway adds to the arguments of its own operators. */
  readonly complete: (input: unknown) => unknown
  readonly readsOnly: boolean
}

/** The operations that operators can run on this gateway, and through it on all gateways that share its Redis. */
export class Operations {
  /** Name of this gateway in answers. */
  readonly name = `${hostname()}:${process.pid}`
  /** Unique within the process too, which may contain several gateways. */
  readonly id = newUuid()
  private readonly options: OperationsOptions
  private readonly dropped: Counter
  private readonly known = new Map<string, Known>()
  private channel: ReplicaChannel | null = null
  /** Identifies the Redis that the channel uses. */
  private place = ''
  private running = 0

  constructor(options: OperationsOptions) {
    this.options = options
    this.dropped = options.metrics.counter('sallyport_replica_messages_dropped_total', {})
  }

  /**
   * Registers the local implementation of an operation, for operators and other gateways. `complete` adds to the arguments what all gateways
   * have to know from the one that was asked.
   */
  on<Input, Result extends object>(
    { name, arguments: schema, readsOnly = false }: Operation<Input, Result>,
    run: (input: Input) => Promise<Result> | Result,
    complete: (input: Input) => Input = (input) => input,
  ): void {
    const checked: Run = async (input) => {
      const { data, success } = schema.safeParse(input)
      return success ? run(data) : 'malformed'
    }
    const completed = (input: unknown): unknown => {
      const { data, success } = schema.safeParse(input)
      return success ? complete(data) : input
    }
    this.known.set(name, { run: checked, complete: completed, readsOnly })
  }

  /** Sets the Redis to share with other gateways; null for none. */
  configure(redis: RedisConfig | null): void {
    const place = JSON.stringify(redis)
    if (place === this.place) return
    this.place = place
    this.channel?.close()
    this.channel = redis === null ? null : this.open(redis)
  }

  stop(): void {
    this.configure(null)
  }

  readonly everywhere: RunOnReplicas = async (operation, asked) => {
    const { name, channel } = this
    const known = this.known.get(operation.name)
    const input = known?.complete(asked)
    const first = operation.result.parse(await known?.run(input))
    const { answers, unreached } = channel === null ? ALONE : await channel.ask(operation.name, input)
    const results: [typeof first, ...(typeof first)[]] = [first]
    const replicas: ReplicaReport[] = [{ name, self: true, problem: null }]
    for (const answer of answers.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const problem = answer.problem ?? this.problemOf(operation, answer, results)
      replicas.push({ name: answer.name, self: false, problem })
    }
    return { results, replicas, unreached }
  }

  /** Why an answer is unusable; null if it is valid, in which case its result is added to the others. */
  private problemOf<Input, Result extends object>(
    { result }: Operation<Input, Result>,
    answer: ReplicaAnswer,
    results: Result[],
  ): string | null {
    const { data } = result.safeParse(answer.result)
    if (data !== undefined) results.push(data)
    else this.dropped.add(1)
    return data === undefined ? 'its answer is not valid' : null
  }

  private open(redis: RedisConfig): ReplicaChannel {
    const { id, name } = this
    const { clock, log, connected } = this.options
    return new ReplicaChannel({
      redis,
      id,
      name,
      clock,
      log,
      connected,
      answer: (question) => this.answer(question),
      dropped: () => this.dropped.add(1),
    })
  }

  private async answer({
    operation,
    asked,
    name: from,
  }: Question): Promise<Pick<ReplicaAnswer, 'problem' | 'result'> | null> {
    const known = this.known.get(operation)
    if (known === undefined)
      return { problem: `it does not know the operation ${JSON.stringify(operation)}`, result: null }
    if (!known.readsOnly && this.running >= AT_ONCE) return this.drop()
    this.running++
    try {
      const result = await known.run(asked)
      if (result === 'malformed') return this.drop()
      if (!known.readsOnly)
        this.options.log.warn({ operation, from }, 'This gateway has done the same for an operator of another gateway')
      return { problem: null, result }
    } catch (error) {
      if (error instanceof GatewayError) return { problem: error.detail ?? error.title, result: null }
      this.options.log.error({ operation, from, error }, 'An operation requested by another gateway failed')
      return { problem: 'it failed: see its log', result: null }
    } finally {
      this.running--
    }
  }

  private drop(): null {
    this.dropped.add(1)
    return null
  }
}
