import { number } from './format.ts'

/** One bar of a chart. */
export type Bar = { name: string; value: number; highlight: boolean }

/** Bars to compare with each other, below a common heading. */
export type Group = { heading: string; bars: Bar[] }

const width = 760
const left = 220
const right = 88
const top = 72
const step = 34
const thickness = 20
const headingHeight = 30

/**
 * A horizontal bar chart as SVG, with one scale for all groups; it has its own background, so that it is readable on light and dark pages.
 */
export function barChart(title: string, subtitle: string, groups: Group[]): string {
  const greatest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  const scale = (width - left - right) / greatest
  const height = top + groups.reduce((sum, group) => sum + heightOf(group), 0) + 14
  const description = groups
    .map(({ heading, bars }) => `${heading}: ${bars.map(({ name, value }) => `${name} ${number(value)}`).join(', ')}`)
    .join('; ')
  let y = top
  const drawn = groups.map((group) => {
    const at = y
    y += heightOf(group)
    return drawGroup(group, at, scale)
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">
  <title id="title">${escape(title)}</title>
  <desc id="description">${escape(description)}</desc>
  <style>
    text { font: 14px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: #1f2328 }
    .page { fill: #ffffff; stroke: #d0d7de }
    .title { font-size: 17px; font-weight: 600 }
    .subtitle { font-size: 13px; fill: #59636e }
    .name { text-anchor: end }
    .value { font-variant-numeric: tabular-nums }
    .bar { fill: #a5b0bc }
    .own { fill: #0f7b6c }
    .strong, .heading { font-weight: 600 }
    @media (prefers-color-scheme: dark) {
      text { fill: #e6edf3 }
      .page { fill: #0d1117; stroke: #30363d }
      .subtitle { fill: #9198a1 }
      .bar { fill: #57606a }
      .own { fill: #2bb8a3 }
    }
  </style>
  <rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
  <text class="title" x="20" y="30">${escape(title)}</text>
  <text class="subtitle" x="20" y="51">${escape(subtitle)}</text>
${drawn.join('\n')}
</svg>
`
}

function heightOf({ bars }: Group): number {
  return headingHeight + bars.length * step
}

function drawGroup({ heading, bars }: Group, y: number, scale: number): string {
  return [
    `  <text class="heading" x="20" y="${y + 18}">${escape(heading)}</text>`,
    ...bars.map((bar, index) => drawBar(bar, y + headingHeight + index * step, scale)),
  ].join('\n')
}

function drawBar({ name, value, highlight }: Bar, y: number, scale: number): string {
  const length = Math.max(2, value * scale)
  const baseline = y + 15
  const strong = highlight ? ' strong' : ''
  return [
    `  <text class="name${strong}" x="${left - 10}" y="${baseline}">${escape(name)}</text>`,
    `  <rect class="bar${highlight ? ' own' : ''}" x="${left}" y="${y}" width="${length.toFixed(1)}" height="${thickness}" rx="3"/>`,
    `  <text class="value${strong}" x="${(left + length + 8).toFixed(1)}" y="${baseline}">${number(value)}</text>`,
  ].join('\n')
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
