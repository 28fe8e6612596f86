import type { TestContext } from 'node:test'
import { parseConfig } from '../../src/config/parse.ts'
import type { GatewayInput } from '../../src/config/gateway-input.ts'
import type { GatewayConfig } from '../../src/config/schema.ts'
import { TopicHandlers } from '../../src/core/threads.ts'
import { policies } from '../../src/policies/index.ts'
import { ProcessScope } from '../../src/runtime/process-scope.ts'
import { createMemoryLogger } from '../../src/telemetry/memory-logger.ts'
import { cleanUp } from './cleanup.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'

/** A configuration with the built-in policies. */
function parsed(value: GatewayInput): GatewayConfig {
  return parseConfig(value, { value, chain: policies, findings: [] })
}

/** The process-wide scope, in which one configuration follows another, until the end of the test. */
export function startScope(t: TestContext, input: GatewayInput) {
  const clock = new ManualClock()
  const formats: string[] = []
  const output = { ...createMemoryLogger('info'), setFormat: (format: string) => void formats.push(format) }
  const answers = new TopicHandlers(output.log)
  const scope = new ProcessScope({
    config: parsed(input),
    output,
    clock,
    random: () => 0.5,
    answers,
    threads: answers,
    size: 1,
    workers: () => 1,
    running: () => ({ readiness: 'ready', applied: { revision: '0', since: 0 } }),
  })
  cleanUp(t, () => scope.stop())
  void scope.start()
  const prepare = (next: GatewayInput) => scope.prepare(parsed(next))
  return { clock, scope, output, formats, answers, prepare }
}
