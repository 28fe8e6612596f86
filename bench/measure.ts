import { loadCore, run } from './children.ts'
import type { Load, LoadResult, Target } from './loads/load.ts'
import { cpuNanoseconds, peakMemoryBytes, processTree } from './proc.ts'
import type { Proxy } from './proxy.ts'
import type { Measurement } from './results.ts'
import type { Scenario } from './scenarios/scenario.ts'

/** A load that exceeds its intended duration by more than this many seconds has hung. */
const graceSeconds = 120

/** A proxy without a JIT only needs to fill its connection pools and caches. */
const warmUpWithoutJit = 1 / 20

/**
 * Sends the scenario's load until the proxy has warmed up; throws if the load fails. A load of its own for the warm-up is followed by the
 * scenario's once.
 */
export async function warmUp(proxy: Proxy, scenario: Scenario): Promise<void> {
  const wanted = proxy.peer.jit ? scenario.warmUp : scenario.warmUp * warmUpWithoutJit
  const target = { origin: proxy.origin, seconds: 2, dir: proxy.dir }
  const load = scenario.warmUpLoad ?? scenario.load
  for (let sent = 0; sent < wanted;) {
    const { requests, failures } = await runLoad(await load(target), graceSeconds)
    if (failures.length > 0) throw new Error(`${failures.join(', ')} in the warm-up`)
    if (requests === 0) throw new Error('no request was answered in the warm-up')
    sent += requests
  }
  if (scenario.warmUpLoad !== undefined) await runLoad(await scenario.load(target), graceSeconds)
}

/**
 * Measures one round of one proxy: the CPU time of its processes during one run of the load. A reply that is not 2xx or a socket error
 * invalidates the round.
 */
export async function measure(proxy: Proxy, scenario: Scenario, seconds: number): Promise<Measurement> {
  const target: Target = { origin: proxy.origin, seconds, dir: proxy.dir }
  const tree = processTree(proxy.child.pid)
  const before = cpuNanoseconds(tree)
  let result: LoadResult
  try {
    result = await runLoad(await scenario.load(target), seconds + graceSeconds)
  } catch (error) {
    return { invalid: error instanceof Error ? error.message : String(error) }
  }
  const cpu = (cpuNanoseconds(tree) - before) / 1000
  if (result.failures.length > 0) return { invalid: result.failures.join(', ') }
  if (result.requests === 0) return { invalid: 'no request was answered' }
  const units = result.requests * scenario.unit.perRequest
  return {
    cpu: cpu / units,
    rate: units / result.seconds,
    p50: result.p50,
    p99: result.p99,
    busy: cpu / 1e6 / result.seconds,
    memory: peakMemoryBytes(tree),
  }
}

async function runLoad(load: Load, seconds: number): Promise<LoadResult> {
  return load.read(await run(load.command, loadCore, seconds))
}
