import type { Logger } from './logger.ts'

/** A question that the threads of the process ask one another: its name, and the types of question and answer, which are cloned. */
export interface Topic<Question, Answer> {
  readonly name: string
  /** Restores the type of answers that came from another thread, where messages are untyped. */
  readonly answers: (values: readonly unknown[]) => Answer[]
  /** Never present at runtime; carries the type only. */
  readonly question?: (question: Question) => void
}

/** Defines a topic. Both types must survive the structured clone algorithm: no functions and no instances of custom classes. */
export function defineTopic<Question, Answer>(name: string): Topic<Question, Answer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both threads run the same code
  return { name, answers: (values) => values as Answer[] }
}

/** All threads of the gateway, as seen from one of them. */
export interface Threads {
  /**
   * Asks the main thread and every worker, including this one, and resolves with the answers that arrived in time, in no particular order.
   * Never rejects.
   */
  askAll<Question, Answer>(topic: Topic<Question, Answer>, question: Question): Promise<Answer[]>
  /** Asks only the main thread, for things that exist once per process; does not wait for busy workers. Never rejects. */
  askMain<Question, Answer>(topic: Topic<Question, Answer>, question: Question): Promise<Answer[]>
}

/** Handler of one topic. Its argument has the topic's type, as both threads run the same code. */
interface TopicHandler {
  answer(question: unknown): unknown
}

/** The handlers of one thread. If there is only one thread, it also stands for all of them. */
export class TopicHandlers implements Threads {
  private readonly log: Logger
  private readonly known = new Map<string, TopicHandler[]>()

  constructor(log: Logger) {
    this.log = log
  }

  /** Adds a handler for the topic, in addition to existing ones, until the returned function is called. */
  on<Question, Answer>(
    topic: Topic<Question, Answer>,
    answer: (question: Question) => Answer | Promise<Answer>,
  ): () => void {
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
  async answer(name: string, question: unknown): Promise<unknown[]> {
    const answers = await Promise.allSettled(
      (this.known.get(name) ?? []).map(async (answering) => answering.answer(question)),
    )
    for (const each of answers) {
      if (each.status === 'fulfilled') continue
      const error: unknown = each.reason
      this.log.error({ topic: name, error }, 'A thread could not answer')
    }
    return answers.filter((each) => each.status === 'fulfilled').map(({ value }) => value)
  }

  async askAll<Question, Answer>({ name, answers }: Topic<Question, Answer>, question: Question): Promise<Answer[]> {
    return answers(await this.answer(name, question))
  }

  askMain<Question, Answer>(topic: Topic<Question, Answer>, question: Question): Promise<Answer[]> {
    return this.askAll(topic, question)
  }
}
