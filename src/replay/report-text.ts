import { printable } from '../core/printable.ts'
import { statusText } from './change-text.ts'
import type { Ending } from './side.ts'
import type { Example, Group, Report } from './report.ts'

/** A report in human-readable form: what changes and what is undecided, each with examples. */
export function reportText(report: Report): string {
  const { requests, changed, undecided, from, to, changes, reasons } = report
  const period = from === null || to === null ? '' : `, ${from} to ${to}`
  const parts = [
    `${numberText(changed)} of ${numberText(requests)} change${undecided === 0 ? '' : `, ${numberText(undecided)} cannot be determined`}${period}`,
    ...(changes.length > 0 ? [groupsText(changes)] : []),
    ...(reasons.length > 0 ? [`Cannot be determined:\n${groupsText(reasons)}`] : []),
    ...linesText(report),
  ]
  return parts.join('\n\n')
}

function groupsText(groups: readonly Group[]): string {
  const width = Math.max(...groups.map(({ count }) => numberText(count).length))
  return groups
    .flatMap(({ count, text, examples }) => [
      `  ${numberText(count).padStart(width)}  ${printable(text)}`,
      ...examples.map((example) => `  ${' '.repeat(width)}    ${exampleText(example)}`),
    ])
    .join('\n')
}

function exampleText({ line, method, url, before, after }: Example): string {
  const ending = after === undefined ? '' : `  ${endingText(before)} → ${endingText(after)}`
  return printable(`line ${line}: ${method} ${url}${ending}`)
}

function endingText(ending: Ending): string {
  const { service, status, code } = ending
  return service === null || status === null || code !== null ? statusText(ending) : `${statusText(ending)} ${service}`
}

function linesText({ malformed, problems, otherLines }: Report): string[] {
  const others =
    otherLines === 0
      ? []
      : [`${countText(otherLines, 'line')} from other parts of the log ${otherLines === 1 ? 'was' : 'were'} skipped`]
  if (malformed === 0) return others
  const shown = problems.map(({ line, problem, text }) => printable(`  line ${line}: ${problem}: ${text}`))
  const more = malformed > problems.length ? [`  and ${numberText(malformed - problems.length)} more`] : []
  return [[`${countText(malformed, 'line')} cannot be read:`, ...shown, ...more].join('\n'), ...others]
}

function countText(count: number, what: string): string {
  return `${numberText(count)} ${what}${count === 1 ? '' : 's'}`
}

/** With commas as thousands separators. */
function numberText(count: number): string {
  return count.toLocaleString('en-US')
}
