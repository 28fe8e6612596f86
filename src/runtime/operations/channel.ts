import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import { newUuid } from '../../core/uuid.ts'
import { connectRedis, type RedisClient, type RedisConfig } from '../../redis/client.ts'
import { failureOf } from '../../redis/failure.ts'
import { type Question, readMessage, type ReplicaAnswer } from './messages.ts'

/** How long other gateways may take to answer, in milliseconds. */
const PATIENCE = 1500
/** Between two signs of life on the connection that only listens, and how long Redis may take to give them, in milliseconds. */
const PING = 10_000
const SILENCE = 5000

/** What came of a question. */
export interface Heard {
  readonly answers: readonly ReplicaAnswer[]
  /** Why there may be gateways that have not answered; null where there are none. */
  readonly unreached: string | null
}

export interface ChannelOptions {
  readonly redis: RedisConfig
  /** Of this gateway. */
  readonly id: string
  readonly name: string
  readonly clock: Clock
  readonly log: Logger
  /** Does what another gateway asks; null where nobody is to be told of it. */
  readonly answer: (question: Question) => Promise<Pick<ReplicaAnswer, 'problem' | 'result'> | null>
  /** A message was none, or none that is taken. */
  readonly dropped: () => void
}

/** What Redis says of a question. */
interface Told {
  /** How many are to answer: unknown before Redis says so, and of a Cluster, whose nodes know their own listeners only. */
  expected: number
  /** Why nobody may have got it; null where somebody has. */
  failure: string | null
}

/** What gateways that share a Redis have one another do, by a channel of it on which all of them ask, answer, and listen. */
export class ReplicaChannel {
  private readonly options: ChannelOptions
  private readonly channel: string
  private readonly subscriber: RedisClient
  private readonly publisher: RedisClient
  private readonly stopPings: () => void
  /** By the question. */
  private readonly waiting = new Map<string, (answer: ReplicaAnswer) => void>()
  private listening = false
  /** What the connection failed of last. */
  private cause = 'connection lost'
  private told = ''

  constructor(options: ChannelOptions) {
    const { redis, clock } = options
    this.options = options
    this.channel = channelOf(redis)
    this.subscriber = connectRedis(redis, SILENCE)
    this.publisher = connectRedis(redis, SILENCE)
    for (const client of [this.subscriber, this.publisher])
      client.on('error', (error: unknown) => (this.cause = failureOf(error).cause))
    this.subscriber.on('ready', () => this.listen())
    this.subscriber.on('close', () => (this.listening = false))
    this.subscriber.on('message', (_: string, text: string) => this.take(text))
    // A Cluster looks after the connection that listens itself.
    this.stopPings = this.subscriber.isCluster
      ? () => {}
      : clock.every(PING, () => void this.subscriber.ping().catch(() => {}))
  }

  /** Has all other gateways do something; resolves when all have answered, or after a while. Never rejects. */
  async ask(operation: string, asked: unknown): Promise<Heard> {
    const { id: from, name, clock } = this.options
    if (!this.listening || this.publisher.status !== 'ready') return { answers: [], unreached: notAsked(this.cause) }
    const id = newUuid()
    const question: Question = { v: 1, type: 'ask', id, from, name, operation, asked }
    const answers = new Map<string, ReplicaAnswer>()
    const over = Promise.withResolvers<void>()
    const told: Told = { expected: Infinity, failure: 'timeout' }
    const cancel = clock.after(PATIENCE, () => over.resolve())
    this.waiting.set(id, (answer) => {
      answers.set(answer.from, answer)
      if (answers.size >= told.expected) over.resolve()
    })
    this.publisher.publish(this.channel, JSON.stringify(question)).then(
      (listeners) => {
        told.failure = null
        // One of them is this gateway.
        if (!this.publisher.isCluster) told.expected = listeners - 1
        if (answers.size >= told.expected) over.resolve()
      },
      (error: unknown) => {
        told.failure = failureOf(error).cause
        over.resolve()
      },
    )
    await over.promise
    cancel()
    this.waiting.delete(id)
    const { failure, expected } = told
    const unreached = failure === null ? silence(expected - answers.size) : notAsked(failure)
    return { answers: [...answers.values()], unreached }
  }

  close(): void {
    this.stopPings()
    this.subscriber.disconnect()
    this.publisher.disconnect()
    this.waiting.clear()
  }

  private listen(): void {
    this.subscriber.subscribe(this.channel).then(
      () => {
        this.listening = true
        this.told = ''
      },
      (error: unknown) => {
        const { cause, error: shown } = failureOf(error)
        this.cause = cause
        if (cause === this.told) return
        this.told = cause
        this.options.log.warn(
          { cause, channel: this.channel, error: shown },
          'Operations of other gateways do not reach this one: Redis does not let it listen',
        )
      },
    )
  }

  private take(text: string): void {
    const { id, dropped } = this.options
    const message = readMessage(text)
    if (message === null) return dropped()
    if (message.from === id) return
    if (message.type === 'ask') return void this.answer(message)
    // One that is too late, or for another gateway, is no news.
    if (message.to === id) this.waiting.get(message.id)?.(message)
  }

  private async answer(question: Question): Promise<void> {
    const { id: from, name, answer } = this.options
    const said = await answer(question)
    if (said === null) return
    const message: ReplicaAnswer = { v: 1, type: 'answer', id: question.id, to: question.from, from, name, ...said }
    // Whoever asks waits no longer than it says.
    await this.publisher.publish(this.channel, JSON.stringify(message)).catch(() => {})
  }
}

/** Numbered databases share the channels of their Redis, and are kept apart by the name. */
function channelOf({ place }: RedisConfig): string {
  const database = 'url' in place ? /^\/(\d+)$/.exec(URL.parse(place.url)?.pathname ?? '')?.[1] : undefined
  return `sallyport:operations:${Number(database ?? 0)}`
}

function notAsked(cause: string): string {
  return `Redis cannot be used (${cause}): other gateways, if there are any, were not reached`
}

function silence(silent: number): string | null {
  if (!Number.isFinite(silent) || silent <= 0) return null
  const who = silent === 1 ? '1 other gateway has' : `${silent} other gateways have`
  return `${who} not answered within ${PATIENCE / 1000} s`
}
