import assert from 'node:assert/strict'
import test from 'node:test'
import type { Figures, Measurement, Results, ScenarioResult } from '../results.ts'
import { resultsSchema } from '../results.ts'
import { barChart } from './chart.ts'
import { report } from './report.ts'

const round = (cpu: number, changes: Partial<Figures> = {}): Measurement => ({
  cpu,
  rate: 50_000,
  p50: 1000,
  p99: 2000,
  busy: 0.98,
  memory: 64 * 1024 * 1024,
  ...changes,
})

const scenario = (changes: Partial<ScenarioResult> = {}): ScenarioResult => ({
  name: 'get-small',
  title: 'GET small',
  unit: 'request',
  goals: [{ figure: 'cpu', ratio: 1.25 }],
  warmUp: 50_000,
  command: 'wrk -c64',
  peers: [
    { name: 'nginx', rounds: [round(10), round(20), round(10)] },
    { name: 'Sallyport', rounds: [round(12), round(26), round(11)] },
    { name: 'Caddy', rounds: [round(60), round(60), round(60)] },
  ],
  failed: [],
  ...changes,
})

const results = (...scenarios: ScenarioResult[]): Results => ({
  date: '2030-01-02T03:04:05.000Z',
  machine: [['Processor', 'example']],
  versions: [['nginx', '1.0']],
  skipped: [],
  rounds: 3,
  seconds: 3,
  subject: 'Sallyport',
  baselines: ['nginx'],
  scenarios,
})

test('the ratio is the median of the ratios of each round', () => {
  assert.match(report(results(scenario())), /\| Sallyport \| 12\.0 \(11\.0–26\.0\) \| 1\.20 \(1\.10–1\.30\) \|/)
})

test('a goal is met when the median ratio does not exceed it', () => {
  assert.match(report(results(scenario())), /\| GET small \| CPU ≤ 1\.25 \| 1\.20 \(1\.10–1\.30\) \| yes \| yes \|/)
  const strict = scenario({ goals: [{ figure: 'cpu', ratio: 1.19 }] })
  assert.match(report(results(strict)), /\| CPU ≤ 1\.19 \| 1\.20 \(1\.10–1\.30\) \| \*\*no\*\* \|/)
})

test('a peer that is cheaper than Sallyport is named next to the goal', () => {
  const peers = [...scenario().peers, { name: 'httpxy', rounds: [round(9)] }]
  assert.match(report(results(scenario({ peers }))), /\| yes \| \*\*no\*\*: httpxy \|/)
})

test('a goal on latency compares latency', () => {
  const peers = [
    { name: 'nginx', rounds: [round(10, { p99: 1000 })] },
    { name: 'Sallyport', rounds: [round(50, { p99: 1500 })] },
  ]
  const text = report(results(scenario({ peers, goals: [{ figure: 'p99', ratio: 2 }] })))
  assert.match(text, /\| p99 ≤ 2 \| 1\.50 \(1\.50–1\.50\) \| yes \|/)
})

test('a goal may compare two other peers, in a row of its own', () => {
  const peers = [...scenario().peers, { name: 'relay', rounds: [round(10), round(13), round(11)] }]
  const goals: ScenarioResult['goals'] = [
    { figure: 'cpu', ratio: 1.25 },
    { figure: 'cpu', ratio: 1.1, of: 'Caddy', to: 'relay' },
  ]
  const text = report(results(scenario({ peers, goals })))
  assert.match(text, /\| CPU ≤ 1\.25 \| 1\.20 /)
  assert.match(text, /\| GET small \| CPU ≤ 1\.1 of Caddy to relay \| 5\.45 \(4\.62–6\.00\) \| \*\*no\*\* \| {2}\|/)
})

test('an invalid round is excluded from the figures and named', () => {
  const peers = [
    { name: 'nginx', rounds: [round(10), round(10)] },
    { name: 'Sallyport', rounds: [round(12), { invalid: '3 read errors' }] },
  ]
  const text = report(results(scenario({ peers })))
  assert.match(text, /\| Sallyport \| 12\.0 \(12\.0–12\.0\) \| 1\.20 \(1\.20–1\.20\) \|/)
  assert.match(text, /- Sallyport, round 2 does not count: 3 read errors/)
})

test('a proxy without any valid round has dashes and no verdict', () => {
  const peers = [
    { name: 'nginx', rounds: [round(10)] },
    { name: 'Sallyport', rounds: [{ invalid: 'broken' }] },
  ]
  const text = report(results(scenario({ peers })))
  assert.match(text, /\| Sallyport \| – \| – \|/)
  assert.match(text, /\| CPU ≤ 1\.25 \| – \| not measured \|/)
})

test('proxies that are not installed or did not start are named', () => {
  const text = report({
    ...results(scenario({ failed: [{ name: 'httpxy', reason: 'did not listen' }] })),
    skipped: ['Caddy'],
  })
  assert.match(text, /- httpxy was not measured: did not listen/)
  assert.match(text, /Not installed and therefore not measured: Caddy\./)
})

test('a comparison of two versions has a column for the other version', () => {
  const peers = [
    { name: 'nginx', rounds: [round(10)] },
    { name: 'Sallyport', rounds: [round(12)] },
    { name: 'Sallyport@main', rounds: [round(15)] },
  ]
  const text = report({ ...results(scenario({ peers })), baselines: ['nginx', 'Sallyport@main'] })
  assert.match(text, /\| CPU µs\/request \| to nginx \| to Sallyport@main \|/)
  assert.match(text, /\| Sallyport \| 12\.0 \(12\.0–12\.0\) \| 1\.20 \(1\.20–1\.20\) \| 0\.80 \(0\.80–0\.80\) \|/)
})

test('results survive a round trip through their file', () => {
  const whole = results(scenario())
  assert.deepEqual(resultsSchema.parse(JSON.parse(JSON.stringify(whole))), whole)
})

test('the chart has a proportional bar for each proxy, whatever its group, and escapes its texts', () => {
  const svg = barChart('T & U', 'sub', [
    { heading: 'over <TLS>', bars: [{ name: 'a<b', value: 50, highlight: true }] },
    { heading: 'H', bars: [{ name: 'c', value: 100, highlight: false }] },
  ])
  assert.match(svg, /over &lt;TLS&gt;/)
  assert.match(svg, /T &amp; U/)
  assert.match(svg, />a&lt;b</)
  const [first, second] = [...svg.matchAll(/class="bar[^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width))
  assert.equal(first, (second ?? 0) / 2)
})
