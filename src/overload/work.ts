import { performance } from 'node:perf_hooks'

/** A thread's activity within a period. */
export interface Work {
  /** Fraction of the time that the thread was busy rather than waiting for events, from 0 to 1. */
  readonly busy: number
  /** Fraction of the busy time that it actually had a CPU, from 0 to 1. */
  readonly share: number
  /** How long connections have waited to be accepted, in milliseconds; one waiting connection is accepted per event-loop iteration. */
  readonly waited: number
}

/** The connections to a thread. */
export interface Connections {
  /** Number of accepted connections. */
  readonly accepted: number
  /** Number of connections waiting to be accepted; somewhat expensive to call. */
  readonly waiting: () => number
}

/** Returns a function that reports this thread's work since its previous call. */
export function workMeter(connections: () => Connections): () => Work {
  let last = performance.eventLoopUtilization()
  let used = processorTime()
  let [turns, accepted] = [turnsTaken(), connections().accepted]
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization, active, idle } = performance.eventLoopUtilization(now, last)
    last = now
    const before = used
    used = processorTime()
    const [turnsBefore, acceptedBefore] = [turns, accepted]
    const { waiting, accepted: acceptedNow } = connections()
    turns = turnsTaken()
    accepted = acceptedNow
    const newConnections = accepted - acceptedBefore
    const isCrowded = newConnections > 0 && newConnections >= turns - turnsBefore
    return {
      busy: utilization,
      share: active > 0 ? Math.min(1, (used - before) / active) : 1,
      // Connections are accepted in order; assumes the same rate as in the previous period.
      waited: isCrowded ? (waiting() * (active + idle)) / newConnections : 0,
    }
  }
}

/** Number of event-loop iterations of this thread. */
function turnsTaken(): number {
  return performance.nodeTiming.uvMetricsInfo.loopCount
}

/** CPU time of this thread, in milliseconds. */
function processorTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
