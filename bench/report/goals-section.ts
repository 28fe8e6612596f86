import type { Goal, Results, ScenarioResult } from '../results.ts'
import { aheadOf, peerIn, ratioOf } from '../summary.ts'
import { table, withRange } from './format.ts'

/** Peers that Sallyport does not have to beat: relay and replier are lower bounds, and the last one is Sallyport itself. */
const exempt = ['nginx', 'HAProxy', 'relay', 'replier', 'Sallyport with two workers']

/** The goals of all scenarios with the results of this run. */
export function goalsSection({ scenarios, subject, baselines }: Results): string {
  const rows = scenarios.flatMap((scenario) => goalRows(scenario, subject, [...exempt, ...baselines]))
  if (rows.length === 0) return `${subject} was not measured, so no goal can be judged.`
  const head = ['', 'goal, to nginx', 'measured', 'met', 'ahead of all but nginx and HAProxy']
  return table(head, rows)
}

function goalRows(scenario: ScenarioResult, subject: string, exempted: string[]): string[][] {
  if (peerIn(scenario, subject) === undefined) return []
  const behind = aheadOf(scenario, subject, exempted)
  const ahead = behind.length === 0 ? 'yes' : `**no**: ${behind.join(', ')}`
  return scenario.goals.map((goal, i) => [scenario.title, ...judged(scenario, goal, subject), i === 0 ? ahead : ''])
}

/** The goal, the result, and whether the result meets the goal. */
function judged(scenario: ScenarioResult, goal: Goal, subject: string): string[] {
  const { figure, of = subject, to = 'nginx' } = goal
  const own = peerIn(scenario, of)
  const other = peerIn(scenario, to)
  const ratio = own && other && ratioOf(own, other, figure)
  const met = ratio === undefined ? 'not measured' : ratio.median <= goal.ratio ? 'yes' : '**no**'
  const compared = [...(of === subject ? [] : [`of ${of}`]), ...(to === 'nginx' ? [] : [`to ${to}`])]
  const what = figure === 'cpu' ? 'CPU' : 'p99'
  return [[`${what} ≤ ${goal.ratio}`, ...compared].join(' '), withRange(ratio), met]
}
