import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { promtool } from '../support/prometheus.ts'
import { alerts, prometheusFolder } from '../support/rules.ts'

const testsSchema = z.object({
  tests: z.array(
    z.object({
      alert_rule_test: z.array(z.object({ alertname: z.string(), exp_alerts: z.array(z.unknown()) })),
    }),
  ),
})

const cases = testsSchema
  .parse(parse(readFileSync(join(prometheusFolder, 'tests/alerts.yml'), 'utf8')))
  .tests.flatMap((group) => group.alert_rule_test)

test('promtool accepts the Prometheus configuration and its rules', () => {
  const { content, output } = promtool(prometheusFolder, 'check', 'config', 'prometheus.yml')
  assert.ok(content, output)
  assert.match(output, /2 rule files found/)
})

test('every alert fires, and stays silent, as its tests expect', () => {
  const { content, output } = promtool(prometheusFolder, 'test', 'rules', 'tests/alerts.yml')
  assert.ok(content, output)
})

for (const { alert } of alerts) {
  test(`${alert} has a test in which it fires, and one in which it stays silent`, () => {
    const expected = cases.filter(({ alertname }) => alertname === alert).map(({ exp_alerts }) => exp_alerts.length)
    assert.ok(expected.some((count) => count > 0))
    assert.ok(expected.includes(0))
  })
}

const sections = headings(readFileSync(join(prometheusFolder, '../../docs/runbooks.md'), 'utf8'))

test('every alert has its own section in the runbooks, linked from its annotation', () => {
  for (const { alert, annotations } of alerts) {
    assert.equal(annotations.runbook_url, `docs/runbooks.md#${alert.toLowerCase()}`)
    assert.ok(sections.includes(alert), `docs/runbooks.md has no section ${alert}`)
  }
})

test('every section of the runbooks belongs to an alert', () => {
  const known = new Set(alerts.map(({ alert }) => alert))
  assert.deepEqual(
    sections.filter((name) => !known.has(name)),
    [],
  )
})

function headings(markdown: string): string[] {
  return [...markdown.matchAll(/^## (.+)$/gm)].map(([, name = '']) => name)
}
