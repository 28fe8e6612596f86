import { z } from 'zod'
import { table } from './format.ts'

const counted = z.tuple([z.int(), z.int()])

/** The contents of docs/cache-tests.json, written by scripts/cache-tests.ts --write. */
export const cacheRunsSchema = z.array(
  z.object({
    store: z.enum(['memory', 'redis']),
    options: z.record(z.string(), z.unknown()),
    groups: z.array(z.object({ group: z.string(), counts: z.object({ required: counted, optimal: counted }) })),
  }),
)

export type CacheRuns = z.output<typeof cacheRunsSchema>

/** Passed tests of the public cache test suite: each group with the default options, and all of them with others. */
export function cacheSection(runs: CacheRuns): string {
  const [memory, redis, ...others] = runs
  if (memory === undefined || redis === undefined) return 'Not measured.'
  const judged = memory.groups.filter(({ counts }) => counts.required[1] + counts.optimal[1] > 0)
  const rows = judged.map(({ group }) => [group].concat(cells(memory, group), cells(redis, group)))
  const more = others
    .filter(({ store }) => store === 'memory')
    .map((run) => {
      const same = others.find(({ store, options }) => store === 'redis' && isSame(options, run.options))
      return [`all, with \`${JSON.stringify(run.options)}\``].concat(cells(run, 'all'), cells(same, 'all'))
    })
  const head = ['', 'memory: required', 'memory: optimal', 'Redis: required', 'Redis: optimal']
  return [
    'The number of tests of [http-tests/cache-tests](https://github.com/http-tests/cache-tests) that pass with the default options of the `cache`' +
      '\npolicy, in front of the suite’s own service, with one worker. [What is missing, other caches, and how to run the suite](cache-tests.md).',
    table(head, [...rows, ...more]),
  ].join('\n\n')
}

function cells(run: CacheRuns[number] | undefined, name: string): string[] {
  const found = run?.groups.find(({ group }) => group === name)
  if (found === undefined) return ['–', '–']
  return [found.counts.required, found.counts.optimal].map(([passed, all]) => (all === 0 ? '' : `${passed} of ${all}`))
}

function isSame(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
