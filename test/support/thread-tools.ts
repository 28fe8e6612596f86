import { formatAddress } from '../../src/core/address.ts'
import type { Clock } from '../../src/core/clock.ts'
import { TopicHandlers } from '../../src/core/threads.ts'
import type { ThreadTools } from '../../src/front/generation.ts'
import { Deadlines } from '../../src/http/deadlines.ts'
import { HealthBoard } from '../../src/services/health/board.ts'
import type { Addressed, Addresses } from '../../src/services/health/slots.ts'
import { ProcessStores } from '../../src/policies/process-stores.ts'
import { createMemoryLogger } from '../../src/telemetry/memory-logger.ts'
import { type SeriesChange, ThreadMetrics } from '../../src/telemetry/metrics/thread-metrics.ts'

/**
 * The tools that generations of one thread are made with, with room for that many instances on the health board; `announce` is called with
 * their series.
 */
export function threadTools(clock: Clock, instances: number, announce: (change: SeriesChange) => void = () => {}) {
  const { log } = createMemoryLogger()
  const answers = new TopicHandlers(log)
  const tools = {
    clock,
    random: () => 0.5,
    log,
    metrics: new ThreadMetrics(announce, clock),
    deadlines: new Deadlines(clock),
    board: HealthBoard.create(instances),
    threads: answers,
    logDroppedFields: () => {},
    overload: { active: false, shed: () => null },
    answer: (topic, answer) => answers.on(topic, answer),
    processStores: ProcessStores.create(1024),
    size: 1,
    readiness: () => 'ready',
    worker: 0,
  } satisfies ThreadTools
  return tools
}

/** What slots are assigned for, from the services of a configuration. */
export function addressesOf(services: Readonly<Record<string, Addressed>>): Addresses {
  return new Map(
    Object.entries(services).map(([name, { instances }]) => [name, instances.map(({ url }) => formatAddress(url))]),
  )
}
