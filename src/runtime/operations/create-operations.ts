import { registerOperations } from '../../policies/operators.ts'
import type { OperationTools } from '../../policies/operator-endpoint.ts'
import { describe, describeHere, type DescribeSources } from './describe.ts'
import { drain, drainOrders, Drains, type DrainSources } from './drain.ts'
import { setLogLevel, setLogLevelHere } from './log-level.ts'
import { Operations, type OperationsOptions } from './operations.ts'

/**
 * All operations that operators can run on a gateway and those that share its Redis. This is the only place where they are listed. `started`
 * resolves when the instances are known.
 */
export function createOperations(
  options: Omit<OperationsOptions, 'connected'>,
  tools: DescribeSources & DrainSources & OperationTools,
  started: Promise<void>,
): Operations {
  const drains = new Drains(tools)
  const operations = new Operations({ ...options, connected: () => void learn() })

  async function learn(): Promise<void> {
    await started
    const { results } = await operations.everywhere(drainOrders, {})
    for (const each of results.slice(1)) drains.adopt(each)
  }

  operations.on(describe, () => describeHere(operations, tools))
  operations.on(
    drain,
    (order) => drains.change(order),
    (order) => drains.date(order),
  )
  operations.on(drainOrders, () => drains.list())
  operations.on(setLogLevel, (input) => setLogLevelHere(input, tools))
  registerOperations(operations, tools)
  return operations
}
