import { Deadlines } from '../../src/http/deadlines.ts'
import { HealthBoard } from '../../src/services/health/board.ts'
import type { FailureReason } from '../../src/services/outcome.ts'
import { passiveSchema, type PassiveOptions } from '../../src/services/passive/index.ts'
import { EjectionManager } from '../../src/services/passive/ejection-manager.ts'
import { PassiveHealth } from '../../src/services/passive/passive-health.ts'
import { createMemoryLogger } from '../../src/telemetry/memory-logger.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { makeOutcome } from './outcome.ts'

/** The default options. */
const passiveDefaults: PassiveOptions = (() => {
  const options = passiveSchema.parse({})
  if (options === false) throw new Error('passive health is off')
  return options
})()

export interface PassiveParts {
  readonly options?: Partial<PassiveOptions>
  /** The weights of the instances, one for each. */
  readonly weights: readonly number[]
  readonly workers?: number
  readonly random?: () => number
}

/** One service whose instances are judged by several workers, and the main thread's keeper. */
export function setUpPassive({ options, weights, workers = 1, random = () => 0 }: PassiveParts) {
  const clock = new ManualClock()
  const all: PassiveOptions = { ...passiveDefaults, ...options }
  const board = HealthBoard.create(weights.length, workers)
  const instances = weights.map((weight, slot) => {
    const host = `instance-${slot}`
    return { address: `${host}:80`, host, port: 80, weight, slot, inFlight: 0 }
  })
  const deadlines = new Deadlines(clock)
  const judges = Array.from({ length: workers }, (_, worker) => {
    const own = new HealthBoard(board.buffer, worker)
    return new PassiveHealth(all, instances, { board: own, random, holder: worker }, deadlines)
  })
  const output = createMemoryLogger('info')
  const counted: string[] = []
  const counter = (_: string, labels: { readonly reason?: string }) => ({
    add: () => void counted.push(labels.reason ?? ''),
  })
  const held = { counter, release: () => {} }
  const keeper = new EjectionManager({
    board,
    clock,
    random,
    log: output.log,
    metrics: { hold: () => held } as never,
  })
  const keep = (passive: PassiveOptions | false): void => keeper.configure([{ name: 'orders', passive, instances }])
  keep(all)
  /** Sends a request to an instance, which replies or fails. */
  const ask = (slot: number, end: number | FailureReason, worker = 0, took = 1): void => {
    const judge = judges[worker]!
    const instance = instances[slot]!
    judge.began(makeOutcome(instance, { status: 0 }))
    if (typeof end === 'number') return judge.ended(makeOutcome(instance, { status: end, took }))
    const fault = end === 'busy' || end === 'streams' ? 'gateway' : 'instance'
    const error = { status: 0, reason: end, fault, phase: 'reply', took } as const
    judge.ended(makeOutcome(instance, error))
  }
  const ejected = (): string => instances.map(({ slot }) => (board.ejections.isEjected(slot) ? 'x' : '.')).join('')
  const said = (): string[] =>
    output.lines.map((line) => `${String(line['instance'])} ${String(line['message'])}: ${String(line['reason'])}`)
  return { clock, board, instances, judges, keeper, keep, ask, ejected, said, counted, options: all }
}
