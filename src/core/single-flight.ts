/** The pending call for a key, and the one that follows it. */
interface Flight<Result> {
  readonly result: Promise<Result>
  next: Promise<Result> | null
}

/** Deduplicates concurrent calls by key: callers share one execution. */
export class SingleFlight<Result> {
  private readonly flights = new Map<string, Flight<Result>>()

  /** Returns the result of the pending call, or starts `task` if there is none. */
  join(key: string, task: (key: string) => Promise<Result>): Promise<Result> {
    return this.flights.get(key)?.result ?? this.begin(key, task)
  }

  /**
   * Returns the result of a call that starts now or later: callers that arrive while a call is pending share the next one, which starts
   * when the pending one is done.
   */
  follow(key: string, task: (key: string) => Promise<Result>): Promise<Result> {
    const flight = this.flights.get(key)
    if (flight === undefined) return this.begin(key, task)
    const begin = (): Promise<Result> => this.begin(key, task)
    flight.next ??= flight.result.then(begin, begin)
    return flight.next
  }

  /** Forgets the pending calls: new callers no longer join them. */
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
