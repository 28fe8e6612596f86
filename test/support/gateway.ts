import type { TestContext } from 'node:test'
import { systemClock, type Clock } from '../../src/core/clock.ts'
import type { LogLevel } from '../../src/core/logger.ts'
import { createGateway, type Gateway, type GatewayInput, type Policy } from '../../src/gateway.ts'
import { createLineLogger, type LogOutput } from '../../src/telemetry/logger.ts'
import { cleanUp } from './cleanup.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { TIMEOUT } from './timeout.ts'
import { defaultListeners, noteDefault } from './scheme.ts'

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>>

/** A log whose lines can be awaited. */
export class TestLog implements LogOutput {
  readonly lines: LogLine[] = []
  readonly log
  private readonly watchers = new Set<() => void>()

  constructor(clock: Clock, level: LogLevel = 'debug') {
    this.log = createLineLogger(level, clock, (line) => this.write(line))
  }

  write = (line: string): void => {
    this.lines.push(JSON.parse(line) as LogLine)
    for (const look of this.watchers) look()
  }

  setLevel = (level: LogLevel): void => {
    this.log.level = level
  }

  setFormat = (): void => {}

  isForPeople = (): boolean => false

  reopen = (): void => {}

  watchLost = (): void => {}

  close = (): Promise<void> => Promise.resolve()

  /** The access log so far. */
  get requests(): LogLine[] {
    return this.lines.filter(({ message }) => message === 'API Gateway Request')
  }

  /** The first line after `skip` ones that has those members, waiting for it if necessary. */
  line(fields: LogLine, skip = 0): Promise<LogLine> {
    const { promise, resolve, reject } = Promise.withResolvers<LogLine>()
    const timer = setTimeout(() => reject(new Error(`no such line: ${JSON.stringify(fields)}`)), TIMEOUT)
    const expected = Object.entries(fields)
    let at = skip
    const look = (): void => {
      while (at < this.lines.length) {
        const line = this.lines[at++]!
        if (!expected.every(([key, value]) => line[key] === value)) continue
        clearTimeout(timer)
        this.watchers.delete(look)
        return resolve(line)
      }
    }
    this.watchers.add(look)
    look()
    return promise
  }
}

/** A test gateway. */
export interface TestGateway {
  readonly gateway: Gateway
  readonly port: number
  readonly log: TestLog
}

export interface TestGatewayOptions {
  readonly clock?: Clock
  /** Whether to wait for the first health checks; true by default. */
  readonly ready?: boolean
  /** Always 0.5 by default. */
  readonly random?: () => number
  /** 'debug' by default. */
  readonly level?: LogLevel
  /** Custom policies of the test. */
  readonly policies?: readonly Policy[]
  /** Answers requests in worker threads, with the system clock; their log lines are not in `log`. Default false. */
  readonly workers?: boolean
}

/** Without the documentation endpoints, services receive only the test's own requests. */
const QUIET: GatewayInput['endpoints'] = { docs: false, openapi: false }

/** Runs a gateway on a free port until the end of the test. */
export async function startGateway(
  t: TestContext,
  config: GatewayInput,
  {
    clock = systemClock,
    ready = true,
    random = () => 0.5,
    level = 'debug',
    policies = [],
    workers = false,
  }: TestGatewayOptions = {},
): Promise<TestGateway> {
  const log = new TestLog(clock, level)
  const listeners = defaultListeners()
  // Other tests may keep the machine so busy that events are late.
  const defaults: GatewayInput = { listeners, admin: false, endpoints: QUIET, drainTimeout: '1s', overload: false }
  const options = workers ? { output: log, workers } : { output: log, clock, random }
  const own = policies.length === 0 ? {} : { ownPolicies: policies }
  const gateway = await createGateway({ ...defaults, ...config, ...own }, options)
  cleanUp(t, () => {
    const closed = gateway.close()
    if (clock instanceof ManualClock) clock.advance(60_000)
    return closed
  })
  if (ready) await gateway.ready
  const { port } = gateway.addresses[0]!
  if (config.listeners === undefined) noteDefault(port)
  return { gateway, port, log }
}

/** A configuration that sends every path to one service without health checks. */
export function proxyTo(
  instances: string | readonly string[],
  { service = {}, ...config }: GatewayInput & { service?: Partial<NonNullable<GatewayInput['services']>[string]> } = {},
): GatewayInput {
  const list = typeof instances === 'string' ? [instances] : [...instances]
  return {
    services: { backend: { instances: list, health: false, ...service } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
    ...config,
  }
}
