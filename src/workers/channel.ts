import type { Clock } from '../core/clock.ts'
import type { Threads, Topic } from '../core/threads.ts'

/** A message on a channel, in either direction. */
export type ChannelMessage =
  | {
      readonly type: 'ask'
      readonly id: number
      readonly topic: string
      readonly question: unknown
      /** Whether the receiver must not ask further threads. */
      readonly alone: boolean
    }
  | { readonly type: 'answer'; readonly id: number; readonly answers: unknown[] }
  | { readonly type: 'tell'; readonly topic: string; readonly payload: unknown }

export interface ChannelOptions {
  readonly send: (message: ChannelMessage) => void
  /** Answers questions of the other side. Must not reject. */
  readonly answer: (topic: string, asked: unknown, alone: boolean) => Promise<unknown[]>
  /** Receives notifications from the other side. */
  readonly onTell: (topic: string, message: unknown) => void
  readonly clock: Clock
  /** Timeout for answers, in milliseconds. */
  readonly timeout: number
}

/**
 * One end of the channel between the main thread and a worker: each side asks questions, answers those of the other side, and sends
 * notifications.
 */
export class Channel implements Threads {
  private readonly options: ChannelOptions
  private readonly pending = new Map<number, (answers: unknown[]) => void>()
  private lastId = 0

  constructor(options: ChannelOptions) {
    this.options = options
  }

  async askAll<Question, Answer>({ name, answers }: Topic<Question, Answer>, question: Question): Promise<Answer[]> {
    return answers(await this.ask(name, question))
  }

  async askMain<Question, Answer>({ name, answers }: Topic<Question, Answer>, question: Question): Promise<Answer[]> {
    return answers(await this.ask(name, question, this.options.timeout, true))
  }

  /** Resolves with the answers of the other side, or none if they do not arrive within `timeout` milliseconds. */
  ask(topic: string, question: unknown, timeout = this.options.timeout, alone = false): Promise<unknown[]> {
    const { send, clock } = this.options
    const id = ++this.lastId
    return new Promise((resolve) => {
      const settle = (answers: unknown[]) => {
        cancel()
        this.pending.delete(id)
        resolve(answers)
      }
      const cancel = clock.after(timeout, () => settle([]))
      this.pending.set(id, settle)
      send({ type: 'ask', id, topic, question, alone })
    })
  }

  /** Sends a notification to the other side; there is no answer. */
  tell<Message>({ name }: Topic<Message, null>, message: Message): void {
    this.options.send({ type: 'tell', topic: name, payload: message })
  }

  receive(message: ChannelMessage): void {
    if (message.type === 'tell') return this.options.onTell(message.topic, message.payload)
    if (message.type === 'answer') return this.pending.get(message.id)?.(message.answers)
    const { id, topic, question, alone } = message
    void this.options
      .answer(topic, question, alone)
      .then((answers) => this.options.send({ type: 'answer', id, answers }))
  }

  /** Pending questions remain unanswered, as the other side is gone. */
  close(): void {
    for (const settle of this.pending.values()) settle([])
  }
}
