import { registerOperations } from '../../policies/operators.ts'
import type { OperationTools } from '../../policies/operator-endpoint.ts'
import { describe, describeHere, type DescribeSources } from './describe.ts'
import { drain, drainHere, type DrainSources } from './drain.ts'
import { setLogLevel, setLogLevelHere } from './log-level.ts'
import { Operations, type OperationsOptions } from './operations.ts'

/** All operations that operators can run on a gateway and those that share its Redis. This is the only place where they are listed. */
export function createOperations(
  options: OperationsOptions,
  tools: DescribeSources & DrainSources & OperationTools,
): Operations {
  const operations = new Operations(options)
  operations.on(describe, () => describeHere(operations, tools))
  operations.on(drain, (input) => drainHere(input, tools))
  operations.on(setLogLevel, (input) => setLogLevelHere(input, tools))
  registerOperations(operations, tools)
  return operations
}
