import { callApi, Refusal, wordsOf } from './client.ts'

/** What is known of a polled reply. */
export interface Known {
  readonly data: unknown
  /** Why the last attempt failed; null if it succeeded. */
  readonly error: Refusal | null
}

const NOTHING: Known = { data: null, error: null }

/** One reply, shared by all that need it. */
class Poll {
  known: Known = NOTHING
  private readonly path: string
  private readonly watchers = new Map<() => void, number>()
  private timer = 0
  private pending: AbortController | null = null

  constructor(path: string) {
    this.path = path
  }

  /** Calls `changed` with each reply, polling at that interval in milliseconds, until the returned function is called. */
  watch(changed: () => void, interval: number): () => void {
    this.watchers.set(changed, interval)
    this.pollNow()
    return () => {
      this.watchers.delete(changed)
      if (this.watchers.size === 0) this.stop()
    }
  }

  /** Polls immediately, unless a request is already pending. */
  pollNow(): void {
    if (this.pending === null && this.watchers.size > 0) void this.poll()
  }

  private stop(): void {
    clearTimeout(this.timer)
    this.pending?.abort()
    this.pending = null
  }

  private async poll(): Promise<void> {
    clearTimeout(this.timer)
    const pending = new AbortController()
    this.pending = pending
    const known = document.hidden ? this.known : await this.fetchOnce(pending.signal)
    if (pending.signal.aborted) return
    this.pending = null
    this.known = known
    for (const changed of this.watchers.keys()) changed()
    const interval = Math.min(...this.watchers.values())
    if (Number.isFinite(interval)) this.timer = setTimeout(() => this.pollNow(), interval)
  }

  private async fetchOnce(signal: AbortSignal): Promise<Known> {
    try {
      return { data: await callApi<unknown>(this.path, { signal }), error: null }
    } catch (error) {
      return { data: this.known.data, error: error instanceof Refusal ? error : new Refusal(0, wordsOf(error)) }
    }
  }
}

const polls = new Map<string, Poll>()
/** Number of replies that are kept for when a page is opened again. */
const MAX_POLLS = 64

/** The poll for a path, which several components may share. */
export function pollOf(path: string): Poll {
  const known = polls.get(path) ?? new Poll(path)
  polls.delete(path)
  polls.set(path, known)
  for (const [oldest] of polls) {
    if (polls.size <= MAX_POLLS) break
    polls.delete(oldest)
  }
  return known
}

/** Polls everything that is watched immediately, e.g. after a login. */
export function askAgain(): void {
  for (const poll of polls.values()) poll.pollNow()
}
