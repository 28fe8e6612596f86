import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resultsSchema, type Results } from '../results.ts'
import { figureOf } from '../summary.ts'
import { cacheRunsSchema } from './cache-section.ts'
import { type Bar, barChart } from './chart.ts'
import { report } from './report.ts'

/** Writes benchmarks.json, .md and .svg into the folder. */
export async function writeReport(results: Results, docs: string): Promise<void> {
  await mkdir(docs, { recursive: true })
  await writeFile(join(docs, 'benchmarks.json'), `${JSON.stringify(results, undefined, 2)}\n`)
  const cacheRuns = cacheRunsSchema.parse(
    JSON.parse(await readFile(join(docs, 'cache-tests.json'), 'utf8').catch(() => '[]')),
  )
  await writeFile(join(docs, 'benchmarks.md'), report(results, cacheRuns))
  await writeFile(join(docs, 'benchmarks.svg'), overview(results))
}

/** Reads the results of an earlier run; throws if there are none or if they have another format. */
export async function readResults(docs: string): Promise<Results> {
  return resultsSchema.parse(JSON.parse(await readFile(join(docs, 'benchmarks.json'), 'utf8')))
}

/** What the chart compares, each with a small reply: the scenarios with their peers, and those whose subject is shown next to them. */
const charted = [
  { heading: 'HTTP/1.1', name: 'get-small', beside: [{ name: 'full', label: 'everything on' }] },
  { heading: 'HTTP/1.1 over TLS 1.3', name: 'tls-small', beside: [] },
  { heading: 'HTTP/2', name: 'http2-small', beside: [{ name: 'http2-full', label: 'everything on' }] },
  { heading: 'HTTP/2 over TLS 1.3', name: 'http2-tls', beside: [] },
]

/** The chart of the cost of a small reply over each protocol, cheapest first, with Sallyport with everything enabled next to it. */
function overview({ scenarios, subject }: Results): string {
  const barsOf = (name: string): Bar[] =>
    (scenarios.find((scenario) => scenario.name === name)?.peers ?? []).flatMap((peer) => {
      const cpu = figureOf(peer, 'cpu')
      return cpu === undefined ? [] : [{ name: peer.name, value: cpu.median, highlight: peer.name === subject }]
    })
  const groups = charted.map(({ heading, name, beside }) => {
    const others = beside.flatMap((other) =>
      barsOf(other.name)
        .filter((bar) => bar.highlight)
        .map(({ name: own, value, highlight }) => ({ name: `${own}, ${other.label}`, value, highlight })),
    )
    return { heading, bars: [...barsOf(name), ...others].toSorted((a, b) => a.value - b.value) }
  })
  const measured = groups.filter(({ bars }) => bars.length > 0)
  if (measured.length === 0) throw new Error('no scenario of the chart was measured, so there is nothing to draw')
  return barChart('CPU time per request, in microseconds: less is better', 'GET, 165 bytes of JSON; one core', measured)
}
