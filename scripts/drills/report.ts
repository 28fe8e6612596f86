import { table } from '../../bench/report/format.ts'
import { drills } from './cases/index.ts'
import { type Drill, whole } from './drill.ts'
import { peers } from './peers/index.ts'
import type { Result } from './results.ts'

/** The peer that the goals are for. */
export const subject = 'Sallyport'

/** A peer's result of the drill in which nothing goes wrong. */
export function healthyOf(peer: string, results: readonly Result[]): Result | undefined {
  return results.find((result) => result.drill === 'healthy' && result.peer === peer && result.skipped === null)
}

/** All tables: one with the figures of the goals, and one for each drill. */
export function report(results: readonly Result[]): string {
  const performed = drills.filter(({ name }) => results.some(({ drill }) => drill === name))
  return [overview(performed, results), ...performed.map((drill) => section(drill, results))].join('\n\n')
}

function overview(performed: readonly Drill[], results: readonly Result[]): string {
  const names = peers.map(({ name }) => name).filter((name) => results.some(({ peer }) => peer === name))
  const rows = performed.map((drill) => {
    const own = names.map((name) => results.find((result) => result.drill === drill.name && result.peer === name))
    return [`\`${drill.name}\``, ...own.map((result) => cell(drill, result)), goalOf(drill, results)]
  })
  return table(['drill', ...names, 'goal'], rows)
}

function cell(drill: Drill, result: Result | undefined): string {
  if (result === undefined) return ''
  return result.skipped === null ? drill.figure(result) : 'left out'
}

function goalOf(drill: Drill, results: readonly Result[]): string {
  const result = results.find((each) => each.drill === drill.name && each.peer === subject)
  if (result === undefined || result.skipped !== null) return ''
  return drill.isMet(result, healthyOf(subject, results)) ? 'met' : 'missed'
}

function section(drill: Drill, results: readonly Result[]): string {
  const performed = results.filter((result) => result.drill === drill.name && result.skipped === null)
  const own = peers.flatMap(({ name }) => performed.filter(({ peer }) => peer === name))
  const head = [
    `\`${drill.name}\``,
    'GETs failed',
    'why',
    'POSTs failed',
    'sent twice',
    'p50',
    'p99',
    'longest',
    'first and last failure',
    'recovered after',
    'ejections',
    'shed',
  ]
  const rows = own.map((result) => [
    result.peer,
    `${whole(result.gets.failed)} of ${whole(result.gets.sent)}`,
    reasons(result.gets.reasons),
    `${whole(result.posts.failed)} of ${whole(result.posts.sent)}`,
    whole(result.posts.twice),
    `${result.p50} ms`,
    `${result.p99} ms`,
    `${whole(result.max)} ms`,
    result.firstFailure === null ? '–' : `${result.firstFailure} s, ${result.lastFailure} s`,
    drill.span.to === drill.span.total ? '–' : result.recovery === null ? 'never' : `${result.recovery} s`,
    result.ejections === null ? '–' : whole(result.ejections),
    result.shed === null ? '–' : whole(result.shed),
  ])
  return `**${drill.title}.** Goal: ${drill.goal}.\n\n${table(head, rows)}`
}

function reasons(counts: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(counts).toSorted(([, a], [, b]) => b - a)
  return sorted.map(([reason, count]) => `${whole(count)} × ${reason}`).join(', ') || '–'
}
