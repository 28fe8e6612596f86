import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import { dashboards, panelsOf } from '../support/dashboards.ts'

const provisioning = join(import.meta.dirname, '../../deploy/grafana/provisioning')

test('dashboards have unique ids and titles, and link to each other', () => {
  assert.equal(new Set(dashboards.map(({ uid }) => uid)).size, dashboards.length)
  assert.equal(new Set(dashboards.map(({ title }) => title)).size, dashboards.length)
  for (const { tags, links } of dashboards) assert.deepEqual(links[0]?.tags, tags)
})

for (const dashboard of dashboards) {
  test(`every panel of ${dashboard.title} has a description, a unit and a data source`, () => {
    for (const { title, type, description = '', datasource, fieldConfig, targets = [] } of panelsOf(dashboard)) {
      assert.ok(description.length > 0 && description.endsWith('.'), title)
      assert.equal(datasource?.uid, '${datasource}', title)
      assert.ok(targets.length > 0, title)
      const units = fieldConfig?.overrides.filter(({ properties }) => properties[0]?.id === 'unit').length ?? 0
      assert.ok(
        fieldConfig?.defaults.unit !== undefined || units === targets.length || type === 'state-timeline',
        title,
      )
    }
  })

  test(`panels of ${dashboard.title} have unique ids and do not overlap`, () => {
    assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length)
    for (const a of dashboard.panels) {
      assert.ok(a.gridPos.x + a.gridPos.w <= 24, a.title)
      assert.deepEqual(
        dashboard.panels.filter((b) => a.id < b.id && overlap(a.gridPos, b.gridPos)).map(({ title }) => title),
        [],
        a.title,
      )
    }
  })

  test(`the queries of ${dashboard.title} use only variables that are defined`, () => {
    const known = new Set([...dashboard.templating.list.map(({ name }) => name), '__rate_interval'])
    const queries = panelsOf(dashboard).flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))
    const used = queries.flatMap((expr) => [...expr.matchAll(/\$(\w+)/g)].map(([, name = '']) => name))
    assert.deepEqual(
      used.filter((name) => !known.has(name)),
      [],
    )
  })
}

test('the provisioned data source is the default of the dashboards', () => {
  const { datasources } = parse(readFileSync(join(provisioning, 'datasources/prometheus.yml'), 'utf8')) as {
    datasources: unknown[]
  }
  assert.partialDeepStrictEqual(datasources, [{ uid: 'prometheus', type: 'prometheus', isDefault: true }])
})

interface Place {
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
}

function overlap(a: Place, b: Place): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}
