/**
 * Imports every declarative Kong file in a folder, and prints the results: files that the importer cannot read, files whose configuration
 * `check` refuses, and how faithfully the uses of plugins are translated. Exits with 1 if there is a file of the first two kinds, or if
 * fewer than 80% of the uses are exact or partly translated.
 *
 *     node scripts/kong-files.ts FOLDER
 */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../src/core/error-facts.ts'
import type { Fidelity, Report } from '../src/import/report.ts'
import { importKong } from '../src/import/kong/index.ts'
import { checkImported, DIGEST } from '../test/support/imported.ts'

/** The share of uses of plugins that must be brought over, at least in part. */
const MIN_SHARE = 0.8

/** From best to worst: a plugin in a file counts with its worst use there. */
const RANK: readonly Fidelity[] = ['exact', 'narrower', 'different', 'left out']

interface Outcome {
  readonly file: string
  readonly problem: string | null
  /** Plugins of the file, without duplicates. */
  readonly plugins: ReadonlyMap<string, Fidelity>
  readonly entities: number
}

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node scripts/kong-files.ts FOLDER')
  process.exit(64)
}

const files = globSync('**/*.{yml,yaml,json}', { cwd: folder }).toSorted()
const outcomes: Outcome[] = []
for (const file of files) outcomes.push(await outcomeOf(file, readFileSync(join(folder, file), 'utf8')))

for (const { file, problem, plugins, entities } of outcomes) {
  const told = Array.from(plugins, ([name, fidelity]) => `${name} ${fidelity}`).join(', ')
  console.log(`${file}: ${entities} entities${problem === null ? '' : `, ${problem}`}${told === '' ? '' : `: ${told}`}`)
}

const uses = outcomes.flatMap(({ plugins }) => [...plugins])
const names = [...new Set(uses.map(([name]) => name))].toSorted()
const count = (name: string | null, fidelity: Fidelity): number =>
  uses.filter((use) => (name === null || use[0] === name) && use[1] === fidelity).length
console.log(`\n${'plugin'.padEnd(28)}${RANK.map((fidelity) => fidelity.padStart(11)).join('')}`)
for (const name of [...names, null])
  console.log(
    `${(name ?? 'all').padEnd(28)}${RANK.map((fidelity) => String(count(name, fidelity)).padStart(11)).join('')}`,
  )

const failed = outcomes.filter(({ problem }) => problem !== null)
const share = uses.length === 0 ? 1 : 1 - count(null, 'left out') / uses.length
console.log(
  `\n${files.length} files, ${failed.length} with a problem; ${uses.length} uses of plugins, ${(share * 100).toFixed(1)}% of them converted exactly or in part`,
)
process.exitCode = failed.length === 0 && share >= MIN_SHARE ? 0 : 1

async function outcomeOf(file: string, text: string): Promise<Outcome> {
  try {
    const imported = await importKong(text, file, () => Promise.resolve(DIGEST))
    const problem = await checkImported(imported).then(
      () => null,
      (error: unknown) => `check refuses it: ${messageOf(error)}`,
    )
    return { file, problem, plugins: pluginsOf(imported.report), entities: imported.report.entries.length }
  } catch (error) {
    return { file, problem: `cannot be imported: ${messageOf(error)}`, plugins: new Map(), entities: 0 }
  }
}

function pluginsOf({ entries }: Report): Map<string, Fidelity> {
  const found = new Map<string, Fidelity>()
  for (const { kind, name, fidelity } of entries) {
    if (kind !== 'plugin') continue
    const known = found.get(name)
    if (known === undefined || RANK.indexOf(fidelity) > RANK.indexOf(known)) found.set(name, fidelity)
  }
  return found
}
