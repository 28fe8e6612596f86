import type { Logger } from './logger.ts'

/** A question that the threads of the process ask one another: its name, and the types of question and answer, which are cloned. */
export interface Topic<Asked, Answer> {
  readonly name: string
  /** Restores the type of answers that came from another thread, where messages are untyped. */
  readonly answers: (values: readonly unknown[]) => Answer[]
  /** Never present at runtime; carries the type only. */
  readonly asked?: (asked: Asked) => void
}

/** Defines a topic. Both types must survive the structured clone algorithm: no functions and no instances of custom classes. */
export function defineTopic<Asked, Answer>(name: string): Topic<Asked, Answer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both threads run the same code
  return { name, answers: (values) => values as Answer[] }
}

/** All threads of the gateway, as seen from one of them. */
export interface Threads {
  /**
   * Asks the main thread and every worker, including this one, and resolves with the answers that arrived in time, in no particular order.
   * Never rejects.
   */
  askAll<Asked, Answer>(topic: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]>
  /** Asks only the main thread, for things that exist once per process; does not wait for busy workers. Never rejects. */
  askMain<Asked, Answer>(topic: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]>
}

/** Handler of one topic. Its argument has the topic's type, as both threads run the same code. */
interface TopicHandler {
  answer(asked: unknown): unknown
}

/** The handlers of one thread. If there is only one thread, it also stands for all of them. */
export class TopicHandlers implements Threads {
  private readonly log: Logger
  private readonly known = new Map<string, TopicHandler[]>()

  constructor(log: Logger) {
    this.log = log
  }

  /** Adds a handler for the topic, in addition to existing ones, until the returned function is called. */
  on<Asked, Answer>(topic: Topic<Asked, Answer>, answer: (asked: Asked) => Answer | Promise<Answer>): () => void {
    const { name } = topic
    const answering: TopicHandler = { answer }
    this.known.set(name, [...(this.known.get(name) ?? []), answering])
    return () => {
      this.known.set(
        name,
        (this.known.get(name) ?? []).filter((each) => each !== answering),
      )
    }
  }

  /** The answers of all handlers in this thread; failures are logged and yield no answer. */
  async answer(name: string, asked: unknown): Promise<unknown[]> {
    const answers = await Promise.allSettled(
      (this.known.get(name) ?? []).map(async (answering) => answering.answer(asked)),
    )
    for (const each of answers) {
      if (each.status === 'fulfilled') continue
      const error: unknown = each.reason
      this.log.error({ topic: name, error }, 'A thread could not answer')
    }
    return answers.filter((each) => each.status === 'fulfilled').map(({ value }) => value)
  }

  async askAll<Asked, Answer>({ name, answers }: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]> {
    return answers(await this.answer(name, asked))
  }

  askMain<Asked, Answer>(topic: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]> {
    return this.askAll(topic, asked)
  }
}
