import { join } from 'node:path'
import type { BackendPorts } from './backend.ts'
import { stop } from './children.ts'
import { measure, warmUp } from './measure.ts'
import type { Peer } from './peers/peer.ts'
import { startProxy, type Proxy } from './proxy.ts'
import { startRedis } from './redis.ts'
import type { Measurement, ScenarioResult } from './results.ts'
import type { Scenario } from './scenarios/scenario.ts'

/** What a scenario needs to run. */
export type Run = {
  peers: Peer[]
  backend: BackendPorts
  dir: string
  rounds: number
  seconds: number
  progress(line: string): void
}

/**
 * Runs one scenario: 1. starts and warms up its peers, and reports those that fail; 2. measures them in turn, round after round, so that a
 * change on the machine affects all of them; 3. stops them.
 */
export async function runScenario(scenario: Scenario, run: Run): Promise<ScenarioResult> {
  const proxies: Proxy[] = []
  const failed: { name: string; reason: string }[] = []
  const redis = scenario.needsRedis === true ? await startRedis(run.dir) : null
  try {
    // 1
    for (const peer of run.peers) {
      try {
        const proxy = await startProxy(peer, scenario, run.backend, run.dir, redis?.port)
        proxies.push(proxy)
        await warmUp(proxy, scenario)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        run.progress(`${scenario.name}: ${peer.name} is left out: ${reason}`)
        failed.push({ name: peer.name, reason })
      }
    }
    const ready = proxies.filter(({ peer }) => failed.every(({ name }) => name !== peer.name))
    // 2
    const rounds = new Map<Proxy, Measurement[]>(ready.map((proxy) => [proxy, []]))
    for (let round = 1; round <= run.rounds; round++) {
      for (const [proxy, measured] of rounds) {
        const measurement = await measure(proxy, scenario, run.seconds)
        measured.push(measurement)
        run.progress(`${scenario.name} ${round}/${run.rounds} ${proxy.peer.name}: ${brief(measurement, scenario)}`)
      }
    }
    return {
      name: scenario.name,
      title: scenario.title,
      unit: scenario.unit.name,
      goals: [...scenario.goals],
      warmUp: scenario.warmUp,
      command: await commandLine(scenario, run),
      peers: [...rounds].map(([{ peer }, measured]) => ({ name: peer.name, rounds: measured })),
      failed,
    }
  } finally {
    // 3
    await Promise.all(proxies.map(({ child }) => stop(child)))
    if (redis !== null) await stop(redis.child)
  }
}

/** The load's command with named instead of numbered ports and folders, for running it by hand. */
async function commandLine(scenario: Scenario, { dir, seconds }: Run): Promise<string> {
  const origin = `${scenario.tls === undefined ? 'http' : 'https'}://127.0.0.1:PORT`
  const { command } = await scenario.load({ origin, seconds, dir })
  const words = [command.command, ...command.args].map((word) => (/[^\w\-./:=]/.test(word) ? `'${word}'` : word))
  const line = words
    .join(' ')
    .replaceAll(dir, 'DIR')
    .replaceAll(`${join(import.meta.dirname, '..')}/`, '')
  return line.replace(/(?:-H '[^']*' ){3,}/, (headers) => `-H … (${headers.split("-H '").length - 1} headers) `)
}

function brief(measurement: Measurement, { unit }: Scenario): string {
  if ('invalid' in measurement) return `invalid: ${measurement.invalid}`
  const { cpu, rate, p99 } = measurement
  return `${cpu.toFixed(1)} us CPU/${unit.name}, ${Math.round(rate)}/s, p99 ${(p99 / 1000).toFixed(2)} ms`
}
