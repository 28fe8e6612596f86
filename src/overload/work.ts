import { performance } from 'node:perf_hooks'

/** What a thread did within a time. */
export interface Work {
  /** The part of the time in which it was at work, and did not wait for events: from 0 to 1. */
  readonly busy: number
  /** The part of that in which it had a processor, and others did not: from 0 to 1. */
  readonly share: number
  /** How long connections have waited to be accepted, in milliseconds: of those that wait it accepts one each time that it looks for events. */
  readonly waited: number
}

/** What a thread knows of the connections to it. */
export interface Connections {
  /** How many it has accepted. */
  readonly accepted: number
  /** How many wait to be accepted: asking costs some time. */
  readonly waiting: () => number
}

/** Tells what this thread did since it was asked before. */
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
    const came = accepted - acceptedBefore
    const isCrowded = came > 0 && came >= turns - turnsBefore
    return {
      busy: utilization,
      share: active > 0 ? Math.min(1, (used - before) / active) : 1,
      // They are accepted in their order, as many in that time as in the time before.
      waited: isCrowded ? (waiting() * (active + idle)) / came : 0,
    }
  }
}

/** How often this thread has looked for events. */
function turnsTaken(): number {
  return performance.nodeTiming.uvMetricsInfo.loopCount
}

/** Of this thread, in milliseconds. */
function processorTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
