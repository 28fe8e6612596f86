import { present } from '../core/present.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { Address } from '../core/address.ts'
import type { Clock } from '../core/clock.ts'
import type { TopicHandlers, Topic } from '../core/threads.ts'
import { Front } from '../front/front.ts'
import { abandonTopic, commitTopic, type InstanceChange, type NextGeneration } from '../front/next-generation.ts'
import type { Policy } from '../policies/policy.ts'
import type { LogOutput } from '../telemetry/logger.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import type { Fleet, PreparedFleet } from './fleet.ts'
import type { ProcessScope } from './process-scope.ts'

export interface InlineFleetOptions {
  /** Every policy available to the configuration, in chain order. */
  readonly policies: (config: GatewayConfig) => readonly Policy[]
  readonly output: LogOutput
  readonly clock: Clock
  readonly random: () => number
  readonly answers: TopicHandlers
  readonly tracing: Tracing
}

/** A single thread that does everything: for tests, and for use as a library. */
export class InlineFleet implements Fleet {
  readonly size = 1
  readonly running = 1
  readonly onInheritedSockets = false
  private readonly options: InlineFleetOptions
  /** Null before the start. */
  private front: Front | null = null

  constructor(options: InlineFleetOptions) {
    this.options = options
  }

  async start({ config, board, slots, discovered, stores, hub, sampleKey }: ProcessScope): Promise<readonly Address[]> {
    const { answers } = this.options
    const front = await Front.build({
      ...this.options,
      policies: this.options.policies(config),
      config,
      generation: 1,
      board,
      slots,
      discovered,
      processStores: stores,
      announce: (series) => hub.learn(answers, series),
      threads: answers,
      size: 1,
      sampleKey,
      worker: 0,
    })
    this.front = front
    try {
      const addresses = config.listeners.map(({ address }) => address)
      return await front.listen({ addresses, shared: false, first: true })
    } catch (error) {
      await front.drain(0)
      throw error
    }
  }

  askAll<Question, Answer>(topic: Topic<Question, Answer>, question: Question): Promise<Answer[]> {
    return this.options.answers.askAll(topic, question)
  }

  askMain<Question, Answer>(topic: Topic<Question, Answer>, question: Question): Promise<Answer[]> {
    return this.options.answers.askMain(topic, question)
  }

  /** What the thread itself serves; null before the start. */
  get served(): Pick<Front, 'connections' | 'watched' | 'pools'> | null {
    return this.front
  }

  async prepare(next: NextGeneration): Promise<PreparedFleet> {
    const { config, number } = next
    const preparation = { ...next, addresses: null, shared: false, first: true, inherited: [] }
    const front = present(this.front, 'thread that has started')
    const addresses = await front.prepareNext(preparation, Promise.resolve(this.options.policies(config)))
    return {
      addresses,
      commit: async () => void (await this.askAll(commitTopic, number)),
      abandon: () => void this.askAll(abandonTopic, number),
    }
  }

  exchange(change: InstanceChange): Promise<void> {
    present(this.front, 'thread that has started').exchange(change)
    return Promise.resolve()
  }

  becomeReady(): void {
    this.front?.becomeReady()
  }

  retire(): void {
    this.front?.retire()
  }

  async drain(timeout: number, gracePeriod: number): Promise<boolean> {
    await this.front?.drain(timeout, gracePeriod)
    return true
  }
}
