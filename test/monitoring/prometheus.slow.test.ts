import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { temporaryFile } from '../support/command.ts'
import { dashboards, panelsOf } from '../support/dashboards.ts'
import { FRAGILE, type PlatformTraffic, startTraffic } from '../support/platform-traffic.ts'
import { type Prometheus, type Series, startPrometheus } from '../support/prometheus.ts'
import { alerts, prometheusFolder, recordings } from '../support/rules.ts'

/** How long anything may take to show up, in milliseconds: a second scrape for a rate, and health checks. */
const SHOWN = 20_000

/** What clients receive. */
const STATUSES = ['200', '201', '401', '403', '404', '429', '500', '502', '503', '504']

const configurationSchema = z.looseObject({
  global: z.unknown(),
  rule_files: z.array(z.string()),
  scrape_configs: z.array(z.looseObject({ static_configs: z.unknown() })),
})

/** An expression that must have a value. */
interface Question {
  readonly name: string
  readonly expression: string
  /** Labels that its series must have. */
  readonly labels: readonly string[]
}

test('with all kinds of traffic, each panel, rule, alert and query of the guide has data', async (t) => {
  const traffic = await startTraffic(t)
  const prometheus = await startPrometheus(t, await configuration(t, traffic.port))
  const instance = { name: 'instances', expression: 'sallyport_instance_healthy{service="dead-service"}', labels: [] }
  const questions = [
    instance,
    ...outcomeQuestions(),
    ...panelQuestions(),
    ...variableQuestions(),
    ...ruleQuestions(),
    ...guideQuestions(),
  ]

  const answers = await drive(traffic, prometheus, questions)

  for (const question of questions) {
    const { name, expression, labels } = question
    await t.test(name, () => {
      const series = answers.get(question)
      assert.ok(series, `no data: ${expression}`)
      for (const label of labels)
        assert.ok(
          series.every(({ metric }) => label in metric),
          `no label ${label}`,
        )
    })
  }
  await t.test('a series has the gateway as one label and the instance of the service as another', () => {
    const metric = answers.get(instance)?.[0]?.metric
    assert.partialDeepStrictEqual(metric, { gateway: `127.0.0.1:${traffic.port}`, job: 'sallyport' })
    assert.notEqual(metric?.['instance'], metric?.['gateway'])
  })
  await t.test('alerts fire for the failures so far', async () => {
    await traffic.redis.kill()
    await traffic.killWorker()
    const expected = [
      'SallyportErrorsBurnFast',
      'SallyportErrorsBurnSlow',
      'SallyportInternalErrors',
      'SallyportInstanceDown',
      'SallyportNoHealthyInstance',
      'SallyportStoreDown',
      'SallyportWorkerRestarts',
      'SallyportCertificateExpiresSoon',
      'SallyportCertificateExpires',
    ]
    const alertQuestions = expected.map((name) => ({ name, expression: `ALERTS{alertname="${name}"}`, labels: [] }))
    const seen = await drive(traffic, prometheus, alertQuestions)
    assert.deepEqual(
      alertQuestions.filter((question) => !seen.has(question)).map(({ name }) => name),
      [],
    )
  })
  await t.test('Prometheus evaluates every rule', async () => {
    const rules = await prometheus.rules()
    assert.equal(rules.length, alerts.length + recordings.length)
    assert.deepEqual(
      rules.filter(({ health }) => health !== 'ok'),
      [],
    )
  })
})

/** The operators' configuration, except for the address of the gateway and the interval. */
async function configuration(t: TestContext, port: number): Promise<unknown> {
  const written = configurationSchema.parse(parse(read('prometheus.yml')))
  const files = written.rule_files.flatMap((pattern) => globSync(pattern, { cwd: prometheusFolder }))
  const unhurried = /^ +interval: .*\n/gm
  written.global = { scrape_interval: '500ms', evaluation_interval: '500ms' }
  written.rule_files = await Promise.all(
    files.map((file) => temporaryFile(t, basename(file), read(file).replaceAll(unhurried, ''))),
  )
  for (const job of written.scrape_configs) job.static_configs = [{ targets: [`127.0.0.1:${port}`] }]
  return written
}

function read(file: string): string {
  return readFileSync(join(prometheusFolder, file), 'utf8')
}

/** Checks that the traffic is as intended. */
function outcomeQuestions(): Question[] {
  const happen = (counter: string, label: string, values: readonly string[]): Question[] =>
    values.map((value) => ({
      name: `requests with ${label} ${value}`,
      expression: `sum(rate(${counter}{${label}="${value}"}[1m])) > 0`,
      labels: [],
    }))
  return [
    ...happen('http_requests_total', 'status', STATUSES),
    ...happen('sallyport_instance_errors_total', 'reason', ['connect', 'timeout', 'closed', 'invalid', 'busy']),
    ...happen('sallyport_retries_total', 'reason', ['connect']),
    ...happen('sallyport_cache_requests_total', 'outcome', ['hit', 'miss', 'revalidated']),
    ...happen('sallyport_auth_outcomes_total', 'outcome', ['accepted', 'missing', 'invalid', 'forbidden']),
    ...happen('sallyport_rate_limit_decisions_total', 'outcome', ['admitted', 'refused']),
    ...happen('sallyport_idempotency_total', 'outcome', ['replayed']),
    ...happen('sallyport_refused_requests_total', 'code', ['bad-request']),
  ]
}

function panelQuestions(): Question[] {
  return dashboards.flatMap((dashboard) =>
    panelsOf(dashboard).flatMap(({ title, targets = [] }) =>
      targets.map(({ refId, expr, legendFormat = '' }) => ({
        name: `${dashboard.title} / ${title} / ${refId}`,
        expression: filledIn(expr),
        labels: [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label),
      })),
    ),
  )
}

function variableQuestions(): Question[] {
  return dashboards.flatMap(({ title, templating }) =>
    templating.list.flatMap(({ name, query }) => {
      const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(query) ?? []
      if (selector === undefined || label === undefined) return []
      return [{ name: `${title} / $${name}`, expression: filledIn(selector), labels: [label] }]
    }),
  )
}

/**
 * An alert has no data while it does not fire; so its comparisons are made to return 0 or 1 instead of filtering. The
 * result has data exactly if both sides of each comparison have, with labels that match.
 */
function ruleQuestions(): Question[] {
  return [
    ...recordings.map(({ record }) => ({ name: record, expression: record, labels: [] })),
    ...alerts.map(({ alert, expr }) => ({
      name: alert,
      expression: expr.replaceAll(/ (==|!=|>=|<=|>|<) /g, ' $1 bool '),
      labels: [],
    })),
  ]
}

/** The queries in the guide. */
function guideQuestions(): Question[] {
  const guide = readFileSync(join(prometheusFolder, '../../docs/monitoring.md'), 'utf8')
  const blocks = [...guide.matchAll(/^```promql\n([^]*?)^```$/gm)].map(([, block = '']) => block)
  const lines = blocks.flatMap((block) => block.split('\n')).filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((expression) => ({ name: expression, expression, labels: [] }))
}

function filledIn(expression: string): string {
  return expression
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('="$service"', `="${FRAGILE}"`)
    .replaceAll(/\$(?:gateway|service|instance)/g, '.*')
}

/** Sends requests until every query has an answer, or the time is up; returns the first answer to each. */
async function drive(
  traffic: PlatformTraffic,
  prometheus: Prometheus,
  questions: readonly Question[],
): Promise<ReadonlyMap<Question, readonly Series[]>> {
  const end = performance.now() + SHOWN
  const answers = new Map<Question, readonly Series[]>()
  while (answers.size < questions.length && performance.now() < end) {
    await traffic.round()
    const open = questions.filter((question) => !answers.has(question))
    const series = await Promise.all(open.map(({ expression }) => prometheus.query(expression)))
    for (const [index, question] of open.entries())
      if (series[index]!.some(isNumber)) answers.set(question, series[index]!)
  }
  return answers
}

function isNumber({ value }: Series): boolean {
  return Number.isFinite(Number(value[1]))
}
