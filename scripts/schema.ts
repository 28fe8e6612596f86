/** Writes sallyport.schema.json from the configuration's schema; with --check it only fails when the file is not current. */
import { readFile, writeFile } from 'node:fs/promises'
import { configJsonSchema } from '../src/config/json-schema.ts'

const file = new URL('../sallyport.schema.json', import.meta.url)
const current = `${JSON.stringify(configJsonSchema(), null, 2)}\n`

if (!process.argv.includes('--check')) {
  await writeFile(file, current)
} else if ((await readFile(file, 'utf8').catch(() => '')) !== current) {
  console.error('sallyport.schema.json is not current: run "node scripts/schema.ts"')
  process.exitCode = 1
}
