import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '../config/load.ts'
import { planChanges } from '../config/plan/plan.ts'
import { type Side, sideOf } from '../config/plan/side.ts'
import { unitsOf } from '../config/plan/units.ts'
import { policies } from '../policies/index.ts'
import { planText } from './plan-text.ts'

const folder = fileURLToPath(new URL('../../test/config/plan/', import.meta.url))
const environment = { SECRET: 'hush-hush', USERS: 'http://users-1:8001, http://users-2:8001' }

async function load(file: string): Promise<Side> {
  return sideOf(file, await loadConfig(file, environment), policies)
}

const cases = globSync(`${folder}*/before.yaml`).map(dirname).toSorted()
assert.ok(cases.length > 1)

for (const place of cases)
  test(`the plan of ${place.slice(folder.length)} is the listed one`, async () => {
    const after = await load(join(place, 'after.yaml'))
    const plan = planChanges(await load(join(place, 'before.yaml')), after)
    const text = `${planText(plan, unitsOf(after.chain))}\n`
    assert.doesNotMatch(text, /hush/)
    const golden = join(place, 'plan.txt')
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text)
    assert.equal(text, readFileSync(golden, 'utf8'))
  })
