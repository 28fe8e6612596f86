import assert from 'node:assert/strict'
import { HealthBoard } from '../../src/services/health/board.ts'
import { HealthChecker, type CheckedService } from '../../src/services/health/checker.ts'
import type { HealthOptions } from '../../src/services/health/monitor.ts'
import type { ProbeTarget } from '../../src/services/health/probe.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** The default options of a service. */
export const options: HealthOptions = {
  method: 'GET',
  path: '/health',
  headers: {},
  body: '',
  interval: 10_000,
  timeout: 5_000,
  unhealthyAfter: 2,
  healthyAfter: 1,
  status: [200],
}

/** A service with an instance on each of the ports of 127.0.0.1. */
export function service(ports: number[], health: Partial<HealthOptions> | false = {}, host = 'client'): CheckedService {
  const instances = ports.map((port) => ({ url: { scheme: 'http' as const, host: '127.0.0.1', port } }))
  return { instances, host, health: health === false ? false : { ...options, ...health } }
}

interface Check {
  readonly target: ProbeTarget
  readonly answer: (outcome: number | Error) => void
}

/** A checker whose clock, log and probe are controlled by the test. */
export function setUp(random = () => 0.5) {
  const clock = new ManualClock()
  const board = HealthBoard.create(8)
  const lines: { level: string; message: string; fields: object }[] = []
  const write = (level: string) => (fields: object, message: string) => void lines.push({ level, message, fields })
  const log = {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    isLevelEnabled: () => true,
  }
  /** Pending checks by port. */
  const open = new Map<number, Check>()
  const started: ProbeTarget[] = []
  let cancelled = 0
  const checker = new HealthChecker({
    board,
    clock,
    random,
    log,
    probe(target, done) {
      assert.ok(!open.has(target.port), 'two checks of one instance at the same time')
      started.push(target)
      const answer = (outcome: number | Error): void => {
        open.delete(target.port)
        done(outcome)
      }
      open.set(target.port, { target, answer })
      return () => {
        if (open.delete(target.port)) cancelled++
      }
    },
  })
  return {
    checker,
    clock,
    board,
    lines,
    open,
    started,
    cancelled: () => cancelled,
    answer: (port: number, outcome: number | Error) => open.get(port)!.answer(outcome),
    /** Answers the checks of an instance one after the other as they arrive, and collects its states. */
    states: (port: number, ...outcomes: (number | Error)[]): string[] =>
      outcomes.map((outcome) => {
        while (!open.has(port)) clock.advance(1_000)
        open.get(port)!.answer(outcome)
        const report = checker.report().flatMap(({ instances }) => instances)
        return report.find(({ address }) => address.endsWith(`:${port}`))!.state
      }),
  }
}
