import type { Measurement, PeerResult, ScenarioResult } from '../results.ts'
import { figureIn, figureOf, peerIn, ratioOf } from '../summary.ts'
import { middle, table, withRange } from './format.ts'

const megabyte = 1024 * 1024

/** One scenario: its table, the load's command, and every measurement that does not count. */
export function scenarioSection(scenario: ScenarioResult, baselines: string[]): string {
  const { unit } = scenario
  const rows = scenario.peers.map((peer) => row(peer, scenario, baselines))
  const ratios = baselines.map((name) => `to ${name}`)
  const head = [
    '',
    `CPU µs/${unit}`,
    ...ratios,
    `${unit === 'MB' ? 'MB' : 'requests'}/s`,
    'p50 ms',
    'p99 ms',
    'busy',
    'peak MiB',
  ]
  return [
    `### ${scenario.title}`,
    table(head, rows),
    `Load: \`${scenario.command}\``,
    ...problems(scenario).map((problem) => `- ${problem}`),
  ].join('\n\n')
}

function row(peer: PeerResult, scenario: ScenarioResult, baselines: string[]): string[] {
  const figure = figureIn(scenario)
  const ratios = baselines.map((name) => {
    const baseline = peerIn(scenario, name)
    return withRange(baseline && ratioOf(peer, baseline, figure))
  })
  const busy = figureOf(peer, 'busy')
  return [
    peer.name,
    withRange(figureOf(peer, 'cpu')),
    ...ratios,
    withRange(figureOf(peer, 'rate')),
    withRange(figureOf(peer, 'p50'), 1e-3),
    withRange(figureOf(peer, 'p99'), 1e-3),
    busy === undefined ? '–' : `${Math.round(busy.median * 100)}%`,
    middle(figureOf(peer, 'memory'), 1 / megabyte),
  ]
}

/** Notes below the table: proxies that were not measured and rounds that do not count. */
function problems(scenario: ScenarioResult): string[] {
  const leftOut = scenario.failed.map(({ name, reason }) => `${name} was not measured: ${reason}`)
  const invalid = scenario.peers.flatMap(({ name, rounds }) =>
    rounds.flatMap((round, index) => invalidRound(name, round, index)),
  )
  return [...leftOut, ...invalid]
}

function invalidRound(name: string, round: Measurement, index: number): string[] {
  return 'invalid' in round ? [`${name}, round ${index + 1} does not count: ${round.invalid}`] : []
}
