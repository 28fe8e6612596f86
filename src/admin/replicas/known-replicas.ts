import type { ReplicaDescription } from '../../runtime/operations/describe.ts'

/** Maximum number of gateways to remember; the least recently seen are dropped. */
const MAX = 200
/** How long a gateway that no longer answers is remembered, in milliseconds. */
const REMEMBERED = 15 * 60_000

/** A gateway, as last seen. */
export interface SeenReplica {
  readonly description: ReplicaDescription
  /** Whether it has just answered. */
  readonly answers: boolean
  /** In wall-clock milliseconds. */
  readonly lastSeen: number
}

/** The known gateways that share a Redis. There is no shared list; this one is built from their answers. */
export class KnownReplicas {
  /** By id, the most recently seen last. */
  private readonly seen = new Map<string, { readonly description: ReplicaDescription; readonly at: number }>()

  /** All known gateways after these have answered; those that answered come first, in the given order. */
  note(answering: readonly ReplicaDescription[], now: number): SeenReplica[] {
    for (const description of answering) {
      this.seen.delete(description.id)
      this.seen.set(description.id, { description, at: now })
    }
    const ids = new Set(answering.map(({ id }) => id))
    for (const [id, { description, at }] of this.seen) {
      // Another process, e.g. of a restarted container, has taken over its name.
      const isReplaced = answering.some(({ name, startedAt }) => name === description.name && startedAt > at)
      if (isReplaced || now - at >= REMEMBERED || this.seen.size > MAX) this.seen.delete(id)
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
