import assert from 'node:assert/strict'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { loadWhole } from '../load.ts'
import { type Change, planChanges } from './plan.ts'
import { type Side, sideOf } from './side.ts'
import { unitsOf } from './units.ts'
import { planText } from './plan-text.ts'

const folder = fileURLToPath(new URL('../../../test/config/plan/', import.meta.url))
const environment = { SECRET: 'hush-hush', USERS: 'http://users-1:8001, http://users-2:8001' }

async function load(file: string): Promise<Side> {
  return sideOf(file, await loadWhole(file, environment))
}

const cases = globSync(`${folder}*/before.yaml`).map(dirname).toSorted()
assert.ok(cases.length > 1)

for (const place of cases)
  test(`the plan of ${place.slice(folder.length)} matches the golden file`, async () => {
    const after = await load(join(place, 'after.yaml'))
    const plan = planChanges(await load(join(place, 'before.yaml')), after)
    const text = `${planText(plan, unitsOf(after.chain))}\n`
    assert.doesNotMatch(text, /hush/)
    const golden = join(place, 'plan.txt')
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, text)
    assert.equal(text, readFileSync(golden, 'utf8'))
  })

function textOf(change: Partial<Change>): string {
  const plan = { changes: [{ ...CHANGE, ...change }], warnings: [] }
  return planText(plan, () => null).split('\n')[1] ?? ''
}

const CHANGE: Change = {
  kind: 'changed',
  path: ['limits', 'head'],
  before: 1,
  after: 2,
  class: 'live',
  effects: [],
  routes: null,
}

test('values cannot inject terminal sequences', () => {
  for (const text of ['\u001B[2J', 'a\nb', '\u009B1m', 'a b', ''])
    assert.equal(
      textOf({ after: text }),
      `  ~ limits.head: 1 → ${JSON.stringify(text).replaceAll('\u009B', '\\u009b')}`,
    )
})

test('long values that differ beyond the cut are not called secret', () => {
  const long = 'a'.repeat(200)
  assert.equal(textOf({ before: `${long}1`, after: `${long}2` }), '  ~ limits.head: changed; --json shows all of it')
  assert.equal(textOf({ before: '[redacted]', after: '[redacted]' }), '  ~ limits.head: changed, and not shown')
})

test('only some of many routes are named', () => {
  const routes = Array.from({ length: 12 }, (_, i) => `r${i}`)
  const plan = { changes: [{ ...CHANGE, routes }], warnings: [] }
  assert.match(
    planText(plan, () => null),
    /^ {6}Routes: r0, r1, .*, r9 and 2 more\.$/m,
  )
})
