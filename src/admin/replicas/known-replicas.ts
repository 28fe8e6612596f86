import type { ReplicaDescription } from '../../runtime/operations/describe.ts'

/** Gateways that are remembered, at most: those that were seen least recently make room. */
const MOST = 200
/** How long one that says nothing any more is remembered, in milliseconds. */
const REMEMBERED = 15 * 60_000

/** A gateway, as it was when it was seen last. */
export interface SeenReplica {
  readonly description: ReplicaDescription
  /** Whether it has said so just now. */
  readonly answers: boolean
  /** Wall-clock milliseconds. */
  readonly lastSeen: number
}

/** The gateways that were seen of those that share a Redis. Nobody keeps a list of them: it is made of what they answer. */
export class KnownReplicas {
  /** By their ids, those that were seen last at the end. */
  private readonly seen = new Map<string, { readonly description: ReplicaDescription; readonly at: number }>()

  /** All of them, now that these have answered: they come first, in the order in which they are given. */
  note(answering: readonly ReplicaDescription[], now: number): SeenReplica[] {
    for (const description of answering) {
      this.seen.delete(description.id)
      this.seen.set(description.id, { description, at: now })
    }
    const ids = new Set(answering.map(({ id }) => id))
    for (const [id, { description, at }] of this.seen) {
      // Another process, as of a container that was started anew, has taken its name and its place.
      const isReplaced = answering.some(({ name, startedAt }) => name === description.name && startedAt > at)
      if (isReplaced || now - at >= REMEMBERED || this.seen.size > MOST) this.seen.delete(id)
    }
    const silent = Array.from(this.seen.values(), ({ description, at }) => ({
      description,
      answers: false,
      lastSeen: at,
    }))
      .filter(({ description }) => !ids.has(description.id))
      .toSorted((a, b) => b.lastSeen - a.lastSeen)
    return [...answering.map((description) => ({ description, answers: true, lastSeen: now })), ...silent]
  }
}
