/**
 * Writes sallyport.schema.json and docs/configuration-reference.md from the configuration's schema, and docs/cli.md from the commands; with
 * --check, it only fails if one of them is out of date.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { configJsonSchema } from '../src/config/json-schema.ts'
import { cliReference } from './cli-reference.ts'
import { configReference } from './reference/page.ts'

const schema = configJsonSchema()
const files = [
  ['sallyport.schema.json', `${JSON.stringify(schema, null, 2)}\n`],
  ['docs/configuration-reference.md', configReference(schema)],
  ['docs/cli.md', await cliReference()],
] as const

for (const [name, current] of files) {
  const file = new URL(`../${name}`, import.meta.url)
  if (!process.argv.includes('--check')) {
    await writeFile(file, current)
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== current) {
    console.error(`${name} is out of date: run "node scripts/schema.ts"`)
    process.exitCode = 1
  }
}
