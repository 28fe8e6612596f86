import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { table } from '../../bench/report/format.ts'
import { peers } from './peers/index.ts'
import { report } from './report.ts'
import { isDoubtful, type Result, type Results, resultsSchema } from './results.ts'

const root = join(import.meta.dirname, '../..')
const json = join(root, 'docs/resilience.json')
const page = join(root, 'docs/resilience.md')

/** The tables are between these markers. */
const BEGIN = '<!-- drills: written by npm run drills, do not edit -->'
const END = '<!-- end of the drills -->'

/** The contents of docs/resilience.json; throws if it has another format. */
export async function readResults(): Promise<Results> {
  const text = await readFile(json, 'utf8').catch(() => '{"machine":[],"results":[]}')
  return resultsSchema.parse(JSON.parse(text))
}

/** Writes docs/resilience.json, and the tables of docs/resilience.md. */
export async function writeResults(results: Results): Promise<void> {
  const text = withTables(await readFile(page, 'utf8'), results)
  await writeFile(json, `${JSON.stringify(results, null, 2)}\n`)
  await writeFile(page, text)
  execFileSync(join(root, 'node_modules/.bin/oxfmt'), ['--write', json, page], { stdio: 'ignore' })
}

/** The text with the tables of these results inserted; throws if it has no place for them. */
export function withTables(text: string, results: Results): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin === -1 || end < begin) throw new Error(`no lines "${BEGIN}" and "${END}" to write the tables between`)
  const written = [BEGIN, report(results.results), conditions(results)].join('\n\n')
  return `${text.slice(0, begin)}${written}\n\n${text.slice(end)}`
}

function conditions({ machine, results }: Results): string {
  const versions = peers.flatMap(({ name }): [string, string][] => {
    const own = results.filter(({ peer }) => peer === name)
    if (own.length === 0) return []
    return [
      [name, `${listed(own.map(({ version }) => version))}, on ${listed(own.map(({ date }) => date.slice(0, 10)))}`],
    ]
  })
  return [shortened(results), doubtful(results), table(['', ''], [...machine, ...versions])]
    .filter((part) => part !== '')
    .join('\n\n')
}

function shortened(results: readonly Result[]): string {
  if (results.every((result) => result.short)) return 'All in the short form (`--short`).'
  const short = results.filter((result) => result.short).map(({ drill, peer }) => `\`${drill}\` of ${peer}`)
  return short.length === 0 ? '' : `In the short form (\`--short\`): ${short.join(', ')}.`
}

function doubtful(results: readonly Result[]): string {
  const found = results.filter(isDoubtful).map(({ drill, peer }) => `\`${drill}\` of ${peer}`)
  return found.length === 0
    ? ''
    : `To be taken with doubt, as the machine was busy and requests began late: ${found.join(', ')}.`
}

function listed(values: readonly string[]): string {
  return [...new Set(values)].join(', ')
}
