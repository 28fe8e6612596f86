import type { Clock } from '../core/clock.ts'
import type { Threads, Topic } from '../core/threads.ts'

/** A message on a channel, in either direction. */
export type ChannelMessage =
  | {
      readonly type: 'ask'
      readonly id: number
      readonly topic: string
      readonly asked: unknown
      /** Whether the receiver must not ask further threads. */
      readonly alone: boolean
    }
  | { readonly type: 'answer'; readonly id: number; readonly answers: unknown[] }
  | { readonly type: 'tell'; readonly topic: string; readonly told: unknown }

export interface ChannelOptions {
  readonly send: (message: ChannelMessage) => void
  /** Answers questions of the other side. Must not reject. */
  readonly answer: (topic: string, asked: unknown, alone: boolean) => Promise<unknown[]>
  /** Receives notifications from the other side. */
  readonly hear: (topic: string, told: unknown) => void
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
  private readonly asked = new Map<number, (answers: unknown[]) => void>()
  private lastId = 0

  constructor(options: ChannelOptions) {
    this.options = options
  }

  async askAll<Asked, Answer>({ name, answers }: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]> {
    return answers(await this.ask(name, asked))
  }

  async askMain<Asked, Answer>({ name, answers }: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]> {
    return answers(await this.ask(name, asked, this.options.timeout, true))
  }

  /** Resolves with the answers of the other side, or none if they do not arrive within `timeout` milliseconds. */
  ask(topic: string, asked: unknown, timeout = this.options.timeout, alone = false): Promise<unknown[]> {
    const { send, clock } = this.options
    const id = ++this.lastId
    return new Promise((resolve) => {
      const settle = (answers: unknown[]) => {
        cancel()
        this.asked.delete(id)
        resolve(answers)
      }
      const cancel = clock.after(timeout, () => settle([]))
      this.asked.set(id, settle)
      send({ type: 'ask', id, topic, asked, alone })
    })
  }

  /** Sends a notification to the other side; there is no answer. */
  tell<Told>({ name }: Topic<Told, null>, told: Told): void {
    this.options.send({ type: 'tell', topic: name, told })
  }

  receive(message: ChannelMessage): void {
    if (message.type === 'tell') return this.options.hear(message.topic, message.told)
    if (message.type === 'answer') return this.asked.get(message.id)?.(message.answers)
    const { id, topic, asked, alone } = message
    void this.options.answer(topic, asked, alone).then((answers) => this.options.send({ type: 'answer', id, answers }))
  }

  /** Pending questions remain unanswered, as the other side is gone. */
  close(): void {
    for (const settle of this.asked.values()) settle([])
  }
}
