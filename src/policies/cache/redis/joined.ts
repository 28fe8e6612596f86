/** One question under way, and the next one with the same key. */
interface Flight<Answer> {
  readonly answer: Promise<Answer>
  next: Promise<Answer> | null
}

/**
 * Asks one question at a time for each key. Who comes while one is under way shares the next, which is asked when that is
 * answered: so every answer is of a question that was asked after whoever gets it came.
 */
export class Joined<Answer> {
  private readonly question: (key: string) => Promise<Answer>
  private readonly flights = new Map<string, Flight<Answer>>()

  /** `question` must not reject. */
  constructor(question: (key: string) => Promise<Answer>) {
    this.question = question
  }

  ask(key: string): Promise<Answer> {
    const flight = this.flights.get(key)
    if (flight === undefined) return this.send(key)
    flight.next ??= flight.answer.then(() => this.send(key))
    return flight.next
  }

  private send(key: string): Promise<Answer> {
    const flight: Flight<Answer> = { answer: this.question(key), next: null }
    this.flights.set(key, flight)
    void flight.answer.then(() => {
      if (flight.next === null) this.flights.delete(key)
    })
    return flight.answer
  }
}
