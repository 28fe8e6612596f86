import type { Clock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import { newUuid } from '../../core/uuid.ts'
import { connectRedis, type RedisClient, type RedisConfig } from '../../redis/client.ts'
import { failureOf } from '../../redis/failure.ts'
import { type Question, readMessage, type ReplicaAnswer } from './messages.ts'

/** Timeout for other gateways to answer, in milliseconds. */
const TIMEOUT = 1500
/** Interval between pings on the subscriber connection, and timeout for Redis to answer them, in milliseconds. */
const PING = 10_000
const SILENCE = 5000

/** The result of a question. */
export interface ChannelReplies {
  readonly answers: readonly ReplicaAnswer[]
  /** Why some gateways may not have answered; null if there are none. */
  readonly unreached: string | null
}

export interface ChannelOptions {
  readonly redis: RedisConfig
  /** ID of this gateway. */
  readonly id: string
  readonly name: string
  readonly clock: Clock
  readonly log: Logger
  /** Called whenever questions can be asked, for the first time or again. */
  readonly connected: () => void
  /** Executes the operation requested by another gateway; null if no answer is to be sent. */
  readonly answer: (question: Question) => Promise<Pick<ReplicaAnswer, 'problem' | 'result'> | null>
  /** Called for a message that is invalid or not accepted. */
  readonly dropped: () => void
}

/** What Redis reports about a published question. */
interface PendingReplies {
  /** Number of expected answers: unknown before Redis replies, and in a Cluster, whose nodes only know their own subscribers. */
  expected: number
  /** Why the question may have reached no one; null if it was published. */
  failure: string | null
}

/** Lets gateways that share a Redis run operations on one another, through a Redis channel that carries both questions and answers. */
export class ReplicaChannel {
  private readonly options: ChannelOptions
  private readonly channel: string
  private readonly subscriber: RedisClient
  private readonly publisher: RedisClient
  private readonly stopPings: () => void
  /** By question ID. */
  private readonly waiting = new Map<string, (answer: ReplicaAnswer) => void>()
  private listening = false
  /** The most recent connection error. */
  private cause = 'not connected yet'
  private lastText = ''

  constructor(options: ChannelOptions) {
    const { redis, clock } = options
    this.options = options
    this.channel = channelOf(redis)
    this.subscriber = connectRedis(redis, SILENCE)
    this.publisher = connectRedis(redis, SILENCE)
    for (const client of [this.subscriber, this.publisher])
      client.on('error', (error: unknown) => (this.cause = failureOf(error).cause))
    this.subscriber.on('ready', () => this.listen())
    this.publisher.on('ready', () => this.greet())
    this.subscriber.on('close', () => (this.listening = false))
    this.subscriber.on('message', (_: string, text: string) => this.take(text))
    // In a Cluster, the client library monitors the subscriber connection itself.
    this.stopPings = this.subscriber.isCluster
      ? () => {}
      : clock.every(PING, () => void this.subscriber.ping().catch(() => {}))
  }

  /** Asks all other gateways to run an operation; resolves when all have answered, or after a timeout. Never rejects. */
  async ask(operation: string, input: unknown): Promise<ChannelReplies> {
    const { id: from, name, clock } = this.options
    if (!this.isConnected) return { answers: [], unreached: notReached(this.cause) }
    const id = newUuid()
    const question: Question = { v: 1, type: 'ask', id, from, name, operation, asked: input }
    const answers = new Map<string, ReplicaAnswer>()
    const over = Promise.withResolvers<void>()
    const pending: PendingReplies = { expected: Infinity, failure: 'timeout' }
    const cancel = clock.after(TIMEOUT, () => over.resolve())
    this.waiting.set(id, (answer) => {
      answers.set(answer.from, answer)
      if (answers.size >= pending.expected) over.resolve()
    })
    this.publish(question).then(
      (listeners) => {
        pending.failure = null
        // One of the subscribers is this gateway.
        if (!this.publisher.isCluster) pending.expected = listeners - 1
        if (answers.size >= pending.expected) over.resolve()
      },
      (error: unknown) => {
        pending.failure = failureOf(error).cause
        over.resolve()
      },
    )
    await over.promise
    cancel()
    this.waiting.delete(id)
    const { failure, expected } = pending
    const unreached = failure === null ? silence(expected - answers.size) : notReached(failure)
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
        this.lastText = ''
        this.greet()
      },
      (error: unknown) => {
        const { cause, error: shown } = failureOf(error)
        this.cause = cause
        if (cause === this.lastText) return
        this.lastText = cause
        this.options.log.warn(
          { cause, channel: this.channel, error: shown },
          'Operations of other gateways do not reach this one: Redis refuses the subscription',
        )
      },
    )
  }

  private greet(): void {
    if (!this.isConnected) return
    this.cause = 'connection lost'
    this.options.connected()
  }

  private get isConnected(): boolean {
    return this.listening && this.publisher.status === 'ready'
  }

  private take(text: string): void {
    const { id, dropped } = this.options
    const message = readMessage(text)
    if (message === null) return dropped()
    if (message.from === id) return
    if (message.type === 'ask') return void this.answer(message)
    // Answers that are late or meant for another gateway are ignored.
    if (message.to === id) this.waiting.get(message.id)?.(message)
  }

  private async answer(question: Question): Promise<void> {
    const { id: from, name, answer } = this.options
    const result = await answer(question)
    if (result === null) return
    const message: ReplicaAnswer = { v: 1, type: 'answer', id: question.id, to: question.from, from, name, ...result }
    // If publishing fails, the asking gateway runs into its timeout.
    await this.publish(message).catch(() => {})
  }

  /** Resolves with the number of subscribers. Not simply the client's promise: the library throws at once if the channel's slot has no node. */
  private async publish(message: Question | ReplicaAnswer): Promise<number> {
    return this.publisher.publish(this.channel, JSON.stringify(message))
  }
}

/** Numbered databases share the channels of their Redis, so the channel name includes the number. */
function channelOf({ place }: RedisConfig): string {
  const database = 'url' in place ? /^\/(\d+)$/.exec(URL.parse(place.url)?.pathname ?? '')?.[1] : undefined
  return `sallyport:operations:${Number(database ?? 0)}`
}

function notReached(cause: string): string {
  return `Redis cannot be used (${cause}): other gateways, if there are any, were not reached`
}

function silence(silent: number): string | null {
  if (!Number.isFinite(silent) || silent <= 0) return null
  const who = silent === 1 ? '1 other gateway has' : `${silent} other gateways have`
  return `${who} not answered within ${TIMEOUT / 1000} s`
}
