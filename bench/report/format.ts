import type { Spread } from '../statistics.ts'

/** A number with three significant digits and thousands separators. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return value.toLocaleString('en-GB', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** The median followed by the minimum and maximum: `15.0 (14.8–15.3)`. */
export function withRange(spread: Spread | undefined, scale = 1): string {
  if (spread === undefined) return '–'
  const { median, min, max } = spread
  return `${number(median * scale)} (${number(min * scale)}–${number(max * scale)})`
}

/** The median alone. */
export function middle(spread: Spread | undefined, scale = 1): string {
  return spread === undefined ? '–' : number(spread.median * scale)
}

/** A Markdown table; the first column is text, the others are right-aligned numbers. */
export function table(head: string[], rows: string[][]): string {
  const rule = `| ${head.map((_, index) => (index === 0 ? '---' : '---:')).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

function line(cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
