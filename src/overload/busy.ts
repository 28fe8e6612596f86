import { performance } from 'node:perf_hooks'

/** With less than this part of a processor a thread is not busy but kept from working: what it sheds would not help it. */
const LEAST_SHARE = 0.3

/**
 * Tells the part of the time since it was asked before in which this thread was at work, and did not wait for events; 0 where others had the
 * processor for most of that.
 */
export function busyMeter(): () => number {
  let last = performance.eventLoopUtilization()
  let time = performance.now()
  let used = processorTime()
  return () => {
    const [before, usedBefore] = [time, used]
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    time = performance.now()
    used = processorTime()
    return used - usedBefore < LEAST_SHARE * (time - before) ? 0 : utilization
  }
}

/** Of this thread, in milliseconds. */
function processorTime(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}
