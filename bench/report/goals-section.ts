import type { Results, ScenarioResult } from '../results.ts'
import { aheadOf, peerIn, ratioOf } from '../summary.ts'
import { table, withRange } from './format.ts'

/** Peers that Sallyport does not have to be ahead of; the last one is no proxy. */
const exempt = ['nginx', 'HAProxy', 'relay']

/** The goals of all scenarios with what this run reached. */
export function goalsSection({ scenarios, subject, baselines }: Results): string {
  const rows = scenarios.flatMap((scenario) => goalRow(scenario, subject, [...exempt, ...baselines]))
  if (rows.length === 0) return `${subject} was not measured, so no goal can be judged.`
  const head = ['', 'goal, to nginx', 'measured', 'met', 'ahead of all but nginx and HAProxy']
  return table(head, rows)
}

function goalRow(scenario: ScenarioResult, subject: string, exempted: string[]): string[][] {
  const { goal, title } = scenario
  const own = peerIn(scenario, subject)
  if (own === undefined) return []
  const nginx = peerIn(scenario, 'nginx')
  const ratio = nginx && ratioOf(own, nginx, goal.figure)
  const behind = aheadOf(scenario, subject, exempted)
  const met = ratio === undefined ? 'not measured' : ratio.median <= goal.ratio ? 'yes' : '**no**'
  const what = goal.figure === 'cpu' ? 'CPU' : 'p99'
  return [
    [
      title,
      `${what} ≤ ${goal.ratio}`,
      withRange(ratio),
      met,
      behind.length === 0 ? 'yes' : `**no**: ${behind.join(', ')}`,
    ],
  ]
}
