import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { resultsSchema, type Results } from '../results.ts'
import { figureOf } from '../summary.ts'
import { cacheRunsSchema } from './cache-section.ts'
import { barChart } from './chart.ts'
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

/** Reads the results of an earlier run back; throws when there are none or they have another shape. */
export async function readResults(docs: string): Promise<Results> {
  return resultsSchema.parse(JSON.parse(await readFile(join(docs, 'benchmarks.json'), 'utf8')))
}

/** The chart of the first scenario, cheapest first, and Sallyport with everything on beside it. */
function overview({ scenarios, subject }: Results): string {
  const first = scenarios[0]
  if (first === undefined) throw new Error('no scenario was measured, so there is nothing to draw')
  const full = scenarios.find(({ name }) => name === 'full')
  const bars = [
    ...first.peers.map((peer) => ({ peer, name: peer.name })),
    ...(full?.peers ?? [])
      .filter(({ name }) => name === subject)
      .map((peer) => ({ peer, name: `${subject}, everything on` })),
  ].flatMap(({ peer, name }) => {
    const cpu = figureOf(peer, 'cpu')
    return cpu === undefined ? [] : [{ name, value: cpu.median, highlight: peer.name === subject }]
  })
  const sorted = bars.toSorted((a, b) => a.value - b.value)
  return barChart('CPU time per request, in microseconds: less is better', `${first.title}; one core`, sorted)
}
