/** What is under way for a key, and the one after it. */
interface Flight<Result> {
  readonly result: Promise<Result>
  next: Promise<Result> | null
}

/** Does the same thing once for all who ask for it at the same time, by a key. */
export class SingleFlight<Result> {
  private readonly flights = new Map<string, Flight<Result>>()

  /** Has the result of the one that is under way, else of `task`. */
  join(key: string, task: (key: string) => Promise<Result>): Promise<Result> {
    return this.flights.get(key)?.result ?? this.begin(key, task)
  }

  /**
   * Has the result of one that begins now or later: who comes while one is under way shares the next, which begins when that is
   * over.
   */
  follow(key: string, task: (key: string) => Promise<Result>): Promise<Result> {
    const flight = this.flights.get(key)
    if (flight === undefined) return this.begin(key, task)
    const begin = (): Promise<Result> => this.begin(key, task)
    flight.next ??= flight.result.then(begin, begin)
    return flight.next
  }

  /** What is under way is joined by nobody any more. */
  forget(): void {
    this.flights.clear()
  }

  private begin(key: string, task: (key: string) => Promise<Result>): Promise<Result> {
    const flight: Flight<Result> = { result: task(key), next: null }
    const end = (): void => {
      if (flight.next === null && this.flights.get(key) === flight) this.flights.delete(key)
    }
    this.flights.set(key, flight)
    flight.result.then(end, end)
    return flight.result
  }
}
