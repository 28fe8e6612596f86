import type { Logger } from './logger.ts'

/** What threads of the process ask one another: its name, and the types of what is asked and answered, which are cloned. */
export interface Topic<Asked, Answer> {
  readonly name: string
  /** Gives what came from another thread, where messages have no types, the type that was sent. */
  readonly answers: (values: readonly unknown[]) => Answer[]
  /** Never there: it carries the type. */
  readonly asked?: (asked: Asked) => void
}

/** Names a topic; both types must survive the structured clone algorithm, so no functions and no classes of one's own. */
export function defineTopic<Asked, Answer>(name: string): Topic<Asked, Answer> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both threads run the same code
  return { name, answers: (values) => values as Answer[] }
}

/** All threads of the gateway, as one of them sees them. */
export interface Threads {
  /**
   * Asks the main thread and every worker, this one too, and resolves with what those answered that did so in time, in
   * no order. Never rejects.
   */
  askAll<Asked, Answer>(topic: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]>
  /** Asks the main thread alone, for what there is once in a process: no worker that is busy is waited for. Never rejects. */
  askMain<Asked, Answer>(topic: Topic<Asked, Answer>, asked: Asked): Promise<Answer[]>
}

/** Answers one topic: what is asked about it is what it takes, as both threads run the same code. */
interface Answering {
  answer(asked: unknown): unknown
}

/** What one thread answers. Where there is only one thread, it is also all of them. */
export class Answers implements Threads {
  private readonly log: Logger
  private readonly known = new Map<string, Answering[]>()

  constructor(log: Logger) {
    this.log = log
  }

  /** Answers the topic from now on, beside what else here answers it, until the returned function is called. */
  on<Asked, Answer>(topic: Topic<Asked, Answer>, answer: (asked: Asked) => Answer | Promise<Answer>): () => void {
    const { name } = topic
    const answering: Answering = { answer }
    this.known.set(name, [...(this.known.get(name) ?? []), answering])
    return () => {
      this.known.set(
        name,
        (this.known.get(name) ?? []).filter((each) => each !== answering),
      )
    }
  }

  /** All that is answered here; what fails is logged, and no answer. */
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
