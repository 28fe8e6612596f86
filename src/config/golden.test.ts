import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { describeRoutes } from './describe.ts'
import { loadConfig } from './load.ts'
import { ConfigError } from './problems.ts'

const folder = fileURLToPath(new URL('../../test/config/', import.meta.url))

const environment = {
  ACCESS: 'false',
  EMPTY: '',
  ORDERS: 'the-orders',
  SECRET: 'pässword-{42}',
  USERS: 'http://users-1:8001, http://users-2:8001',
  WORKERS: '4',
}

/** Compares with the file beside it; UPDATE_GOLDEN=1 writes the file, to be reviewed before it is committed. */
function assertGolden(file: string, actual: string): void {
  const golden = file.replace(/\.yaml$/, '.txt')
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, `${actual}\n`)
  assert.equal(`${actual}\n`, readFileSync(golden, 'utf8'))
}

function filesOf(kind: string): string[] {
  const files = globSync(`${folder}${kind}/*.yaml`).toSorted()
  assert.ok(files.length > 1)
  return files
}

for (const file of filesOf('bad')) {
  const name = file.slice(folder.length)
  test(`${name} has exactly the listed problems`, async () => {
    const error = await loadConfig(file, environment).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    assert.ok(error instanceof ConfigError)
    assert.doesNotMatch(error.message, /pässword/)
    assertGolden(file, error.message.replaceAll(folder, ''))
  })
}

for (const file of filesOf('good')) {
  const name = file.slice(folder.length)
  test(`${name} has the listed routing table`, async () => {
    assertGolden(file, describeRoutes(await loadConfig(file, environment)))
  })
}
