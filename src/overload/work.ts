import { performance } from 'node:perf_hooks'

/** What a thread did within a time. */
export interface Work {
  /** The part of the time in which it was at work, and did not wait for events: from 0 to 1. */
  readonly busy: number
  /** The part of that in which it had a processor, and others did not: from 0 to 1. */
  readonly share: number
  /** Connections waited to be accepted each time that it looked for events: of those that wait it accepts one at a time. */
  readonly crowded: boolean
}

/** Tells what this thread did since it was asked before; `accepted` tells how many connections it has accepted. */
export function workMeter(accepted: () => number): () => Work {
  let last = performance.eventLoopUtilization()
  let used = processorTime()
  let [turns, connections] = [turnsTaken(), accepted()]
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization, active } = performance.eventLoopUtilization(now, last)
    last = now
    const before = used
    used = processorTime()
    const [turnsBefore, connectionsBefore] = [turns, connections]
    turns = turnsTaken()
    connections = accepted()
    return {
      busy: utilization,
      share: active > 0 ? Math.min(1, (used - before) / active) : 1,
      crowded: turns > turnsBefore && connections - connectionsBefore >= turns - turnsBefore,
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
