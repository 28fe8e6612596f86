/** The logic of the console: modules that need no browser. */
import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { parse } from 'yaml'
import type { Service, Status } from '../../src/console/answers.ts'
import { ago, duration, milliseconds, byteSize, rate, share, until } from '../../src/console/format.ts'
import { withLineEnds, withLineFeeds } from '../../src/console/line-ends.ts'
import { originOf } from '../../src/console/origin.ts'
import { compare, patchOf } from '../../src/console/patch.ts'
import { effectivePolicies } from '../../src/console/policies.ts'
import { counted, percentile, periodOf, ratesOf } from '../../src/console/rates.ts'
import { saidOf } from '../../src/console/said.ts'
import { fateOf } from '../../src/console/sent.ts'
import { findWrong, type Looked } from '../../src/console/wrong.ts'
import { blockOf, yamlOf } from '../../src/console/yaml.ts'

test('numbers are shown with their units', () => {
  assert.deepEqual([0, 0.01, 0.42, 9.96, 1250].map(rate), ['–', '<0.1/s', '0.4/s', '10/s', '1,250/s'])
  assert.deepEqual([0, 0.0004, 0.0125, 0.5, 1].map(share), ['–', '<0.1%', '1.3%', '50%', '100%'])
  assert.deepEqual([null, 0.804, 240.4, 3210].map(milliseconds), ['–', '0.8 ms', '240 ms', '3.21 s'])
  assert.deepEqual([512, 1400, 2.5e6, 3e9].map(byteSize), ['512 B', '1.4 kB', '2.5 MB', '3 GB'])
  assert.deepEqual([0, 59, 61, 7200, 90_061].map(duration), ['0 s', '59 s', '1 min 1 s', '2 h', '1 d 1 h'])
  assert.deepEqual([ago(1000, 2000), ago(0, 61_000), until(60_000, 0)], ['just now', '1 min 1 s ago', 'in 1 min'])
})

test('a percentile lies in the bucket that contains it', () => {
  const bounds = [0.01, 0.1, 1]
  assert.equal(percentile([0, 0, 0, 0], bounds, 0.95), null)
  assert.equal(percentile([100, 0, 0, 0], bounds, 0.5), 5)
  assert.equal(percentile([0, 0, 0, 3], bounds, 0.95), 1000)
  fc.assert(
    fc.property(
      fc.array(fc.nat(1000), { minLength: 4, maxLength: 4 }),
      fc.double({ min: 0.01, max: 1, noNaN: true }),
      (buckets, part) => {
        const found = percentile(buckets, bounds, part)
        const total = buckets.reduce((sum, amount) => sum + amount, 0)
        if (total === 0) return found === null
        const below = (limit: number): number => buckets.slice(0, limit).reduce((sum, amount) => sum + amount, 0)
        const bucket = bounds.findIndex((_, i) => below(i + 1) >= total * part)
        const [lower, upper] = bucket === -1 ? [1, 1] : [bounds[bucket - 1] ?? 0, bounds[bucket] ?? 1]
        return found !== null && found >= lower * 1000 - 1e-6 && found <= upper * 1000 + 1e-6
      },
    ),
  )
})

test('rates are computed over the elapsed seconds', () => {
  const {
    rate: requests,
    failed,
    refused,
    median,
  } = ratesOf(
    [
      [10, 2, 5, 0.1, 10, 0],
      [10, 0, 0, 0.1, 10, 0],
    ],
    2,
    [0.01],
  )
  assert.deepEqual([requests, failed, refused, median], [10, 0.25, 0.1, 5])
  const windows = [
    {
      at: 0,
      seconds: 1,
      routes: {},
      instances: {},
      listeners: {},
      counters: { 'shed_total{reason="a\\"b"}': 2, 'shed_total_other{}': 1 },
      generation: 1,
      health: 1,
    },
  ]
  assert.equal(
    counted(windows, 'shed_total', ({ reason }) => reason === 'a"b'),
    2,
  )
  assert.equal(periodOf(windows), 'in the last 1 s')
  assert.equal(periodOf([{ ...windows[0]!, seconds: 59.4 }]), 'in the last minute')
})

test('a patch turns the first text into the second', () => {
  const lines = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 })
  fc.assert(
    fc.property(lines, lines, (before, after) => {
      const found = compare(before, after)
      assert.deepEqual(
        found.filter(({ kind }) => kind !== '+').map(({ text }) => text),
        before,
      )
      assert.deepEqual(
        found.filter(({ kind }) => kind !== '-').map(({ text }) => text),
        after,
      )
    }),
  )
  assert.equal(patchOf('f', 'a\n', 'a\n'), '')
  assert.equal(
    patchOf('sallyport.yaml', '1\n2\n3\n4\n5\n6\n7\n8\n', '1\n2\n3\n4\n5\nsix\n7\n8\n9\n'),
    '--- a/sallyport.yaml\n+++ b/sallyport.yaml\n@@ -3,6 +3,7 @@\n 3\n 4\n 5\n-6\n+six\n 7\n 8\n+9\n',
  )
})

test('a patch applies, and contains no hidden lines unless it changes them', () => {
  const line = fc.constantFrom('a', '  b', 'secret 1', 'secret 2', '- c')
  const texts = fc.array(line, { maxLength: 14 })
  fc.assert(
    fc.property(texts, texts, (before, after) => {
      const [old, next] = [before, after].map((lines) => lines.map((each) => `${each}\n`).join(''))
      const patch = patchOf('f', old!, next!, old!.replaceAll('secret', 'hidden'))
      assert.ok(!/^ secret/m.test(patch), patch)
      assert.deepEqual(applied(before, patch), after)
    }),
  )
})

test('an inserted block starts where a reader would expect it', () => {
  const before = 'keys:\n  - id: a\n    tier: x\n'
  const after = 'keys:\n  - id: a\n    tier: y\n  - id: a\n    tier: x\n'
  const hunk = '@@ -1,3 +1,5 @@\n keys:\n+  - id: a\n+    tier: y\n   - id: a\n     tier: x\n'
  assert.equal(patchOf('f', before, after), `--- a/f\n+++ b/f\n${hunk}`)
})

/** The lines after a patch, which must apply at its position. */
function applied(lines: readonly string[], patch: string): string[] {
  const result = [...lines]
  let at = 0
  for (const line of patch.split('\n').slice(2, -1)) {
    const start = /^@@ -\d+,\d+ \+(\d+),(\d+) @@$/.exec(line)
    if (start !== null) {
      at = Number(start[1]) - (start[2] === '0' ? 0 : 1)
      continue
    }
    if (line.startsWith('+')) result.splice(at++, 0, line.slice(1))
    else {
      assert.equal(result[at], line.slice(1))
      if (line.startsWith('-')) result.splice(at, 1)
      else at++
    }
  }
  return result
}

test('values shown as YAML parse to the same values', () => {
  const texts = fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
    assert.equal(JSON.stringify(parse(yamlOf(value))), JSON.stringify(value))
  })
  fc.assert(texts)
})

test('values of options are on one line each', () => {
  const values = { tiers: { all: ['5/m', '9/h'] }, public: ['/a', '/b'], except: [], cost: 1 }
  assert.deepEqual(Object.values(values).map(blockOf), ['all: [5/m, 9/h]\n', '[/a, /b]', '[]', '1'])
})

test('each policy has its origin: the route, all routes, or both', () => {
  const config = {
    policies: { auth: { public: ['/a'] }, 'rate-limit': { cost: 1, tiers: 'x' }, cors: { origins: ['*'] } },
    routes: [
      {
        id: 'books',
        policies: { auth: { public: ['/a'] }, 'rate-limit': { cost: 2, tiers: 'x' }, cors: false, cache: { ttl: 5 } },
      },
    ],
  }
  const found = effectivePolicies(config, 'books', ['auth', 'rate-limit', 'cache'])
  assert.deepEqual(
    found.map(({ name, origin, options }) => [
      name,
      origin,
      options.filter(({ own }) => own).map(({ name: option }) => option),
    ]),
    [
      ['auth', 'global', []],
      ['rate-limit', 'both', ['cost']],
      ['cache', 'route', []],
      ['cors', 'off', []],
    ],
  )
})

const status: Status = {
  version: '1.0.0',
  node: 'v26',
  pid: 1,
  readiness: 'ready',
  startedAt: '2026-01-01T00:00:00Z',
  uptimeSeconds: 1,
  listeners: [{ name: 'public', address: '127.0.0.1:8080' }],
  connections: 0,
  inFlight: 0,
  memory: { rssBytes: 1 },
  configuration: { revision: 'a', generation: 1, since: '2026-01-01T00:00:00Z', current: true },
  workers: [{ worker: 0, generation: 1, connections: 0, inFlight: 0, heapBytes: 1, busy: 0, redis: [] }],
}
const service: Service = {
  name: 'shop',
  status: 'healthy',
  balancer: 'round-robin',
  discovery: null,
  concurrency: null,
  retries: null,
  hedges: null,
  instances: [
    {
      address: '10.0.0.1:80',
      weight: 1,
      zone: null,
      usable: true,
      drained: false,
      ejected: null,
      health: {
        state: 'healthy',
        since: '2026-01-01T00:00:00Z',
        reason: 'status 200',
        checkedAt: null,
        checkMs: null,
        failures: 0,
      },
      inFlight: 0,
      connections: { idle: 0, busy: 0, connecting: 0, streaming: 0, waiting: 0 },
    },
  ],
}
const well: Looked = {
  status,
  services: [service],
  routes: [],
  config: {
    etag: '',
    revision: 'a',
    generation: 1,
    since: '2026-01-01T00:00:00Z',
    origin: { how: 'started', operator: null, by: null },
    rewritten: null,
    current: true,
    warnings: [],
    writable: false,
    lastReload: null,
    awaitsConfirmation: null,
    earlier: [],
    workers: [],
  },
  certificates: [],
  windows: [],
  now: Date.parse('2026-01-02T00:00:00Z'),
}
const titlesOf = (changed: Partial<Looked>): string[] =>
  findWrong({ ...well, ...changed }).map(({ level, title }) => `${level}: ${title}`)

test('an edited text keeps the line ends of the file, as browsers only know line feeds', () => {
  const edited = (before: string, edit: (text: string) => string): string =>
    withLineEnds(edit(withLineFeeds(before)), before)
  const text = 'a: 1\n\nb: 2\nc: 3\n'
  const edits: ((text: string) => string)[] = [
    (each) => each,
    (each) => each.replace('b: 2', 'b: 3'),
    (each) => each.replace('a: 1\n', ''),
    (each) => `# first\n${each}`,
    (each) => `${each}d: 4\n`,
    (each) => `${each}d: 4`,
    (each) => each.trimEnd(),
    () => '',
    () => 'x\ny',
  ]
  for (const edit of edits) {
    for (const end of ['\n', '\r\n', '\r']) {
      const before = text.replaceAll('\n', end)
      assert.equal(edited(before, edit), edit(text).replaceAll('\n', end))
      assert.equal(edited(before.trimEnd(), edit), edit(text.trimEnd()).replaceAll('\n', end))
    }
    assert.equal(edited('one line', edit), edit('one line'))
  }
  assert.equal(
    edited('a: 1\r\nb: 2\nc: 3\r\n', (each) => each.replace('b: 2\n', 'b: 3\nb: 4\n')),
    'a: 1\r\nb: 3\nb: 4\nc: 3\r\n',
  )
  assert.equal(
    edited('a: 1\r\nb: 2\n', () => 'a: 1'),
    'a: 1',
  )
  assert.equal(
    edited('a: 1\r\nb: 2\nc: 3\n', (each) => each.replace('a: 1\n', '')),
    'b: 2\nc: 3\n',
  )
})

test('what was done says on which gateways it was not', () => {
  const replica = (name: string, problem: string | null) => ({ name, problem })
  assert.deepEqual(saidOf('Done.', { replicas: [replica('a', null)], unreached: null }), {
    tone: 'good',
    text: 'Done.',
  })
  assert.deepEqual(
    saidOf('Done.', { replicas: [replica('a', null), replica('b', 'it failed.')], unreached: 'One is silent' }),
    { tone: 'warning', text: 'Done. Not on b: it failed. One is silent.' },
  )
})

test('what was applied is forgotten only when it is kept', () => {
  const sent = { etag: '"new"', base: '"old"', since: '2026-01-01T00:00:00Z' }
  const later = '2026-01-01T00:00:09Z'
  const fate = (etag: string, since: string, awaits = false) =>
    fateOf(sent, { ...well.config!, etag, since, awaitsConfirmation: awaits ? { until: later } : null })
  assert.equal(fate('"old"', sent.since), 'waiting', 'the state has not been fetched since')
  assert.equal(fate('"new"', later, true), 'waiting')
  assert.equal(fate('"new"', later), 'kept')
  assert.equal(fate('"old"', later), 'undone')
  assert.equal(fate('"other"', later), 'replaced')
  assert.equal(fate('"other"', later, true), 'replaced')
})

test('a configuration has its origin, and who asked for it', () => {
  const origins = [
    { how: 'started', operator: null, by: null },
    { how: 'reloaded', operator: null, by: null },
    { how: 'reloaded', operator: null, by: 'machine' },
    { how: 'sent', operator: 'ada', by: 'oidc' },
    { how: 'went_back', operator: null, by: 'token' },
    { how: 'expired', operator: null, by: null },
  ] as const
  assert.deepEqual(origins.map(originOf), [
    'start of the process',
    'reload of the file',
    'reload of the file by someone on its machine',
    'change by ada',
    'rollback by the admin token',
    'automatic rollback',
  ])
})

test('a healthy gateway has no findings', () => {
  assert.deepEqual(findWrong(well), [])
})

test('findings are listed with the worst first', () => {
  const [instance] = service.instances
  const ill = {
    ...instance!,
    usable: false,
    health: { ...instance!.health, state: 'unhealthy' as const, failures: 3, reason: 'connect ECONNREFUSED' },
  }
  assert.deepEqual(
    titlesOf({ services: [{ ...service, instances: [ill, { ...instance!, drained: true, usable: true }] }] }),
    ['warning: 10.0.0.1:80 of shop is unhealthy', 'notice: 10.0.0.1:80 of shop is drained'],
  )
  assert.deepEqual(titlesOf({ services: [{ ...service, instances: [ill] }] }), [
    'critical: shop is unavailable',
    'warning: 10.0.0.1:80 of shop is unhealthy',
  ])
  const redis = [{ use: 'all', cause: 'ECONNREFUSED', since: '2026-01-01T00:00:00Z' }]
  assert.deepEqual(titlesOf({ status: { ...status, workers: [{ ...status.workers[0]!, redis }] } }), [
    'critical: Redis is unavailable',
  ])
  const certificate = {
    names: ['shop.test'],
    source: 'file' as const,
    issuer: 'CA',
    notBefore: '2025-10-01T00:00:00Z',
    notAfter: '2026-01-09T00:00:00Z',
    lastOrderSuccessful: true,
  }
  assert.deepEqual(titlesOf({ certificates: [certificate] }), ['warning: The certificate of shop.test expires in 7 d'])
  assert.deepEqual(titlesOf({ certificates: [{ ...certificate, notAfter: '2026-01-01T00:00:00Z' }] }), [
    'critical: The certificate of shop.test has expired',
  ])
  assert.deepEqual(titlesOf({ certificates: [{ ...certificate, notAfter: '2026-06-01T00:00:00Z' }] }), [])
  const problems = [{ file: 'sallyport.yaml', line: 3, column: 1, path: 'routes', message: 'expected a list' }]
  const [refused] = findWrong({
    ...well,
    config: {
      ...well.config!,
      current: false,
      lastReload: { outcome: 'refused', at: '2026-01-01T00:00:00Z', problems },
    },
  })
  assert.match(refused!.detail, /sallyport\.yaml:3: routes: expected a list/)
})

test('warnings about the running configuration are found', () => {
  const warnings = ['routes[0]', 'routes[1]'].map((path) => ({
    file: 'sallyport.yaml',
    line: 7,
    column: 3,
    path,
    message: 'is odd',
  }))
  const [found] = findWrong({ ...well, config: { ...well.config!, warnings } })
  assert.deepEqual(found, {
    level: 'notice',
    title: 'The configuration has 2 warnings',
    detail: 'sallyport.yaml:7: routes[0]: is odd (and 1 more)',
    href: '/console/configuration',
  })
})

test('a route is failing if a large share of enough requests fails', () => {
  const route = {
    id: 'books',
    match: { listener: [], path: ['/*'], pathRegex: null, host: [], method: [], headers: {}, query: {}, precedence: 0 },
    service: 'shop',
    split: null,
    mirror: [],
    replyStatus: null,
    policies: [],
    lastRequestAt: null,
    cache: null,
  }
  const of = (requests: number, failed: number): string[] =>
    titlesOf({
      routes: [route],
      windows: [
        {
          at: 0,
          seconds: 60,
          routes: { books: [requests, 0, failed, 1, requests, 0] },
          instances: {},
          listeners: {},
          counters: {},
        },
      ],
    })
  assert.deepEqual(of(10, 10), [])
  assert.deepEqual(of(100, 2), [])
  assert.deepEqual(of(100, 10), ['warning: 10% of the requests of books are failing'])
  assert.deepEqual(of(100, 60), ['critical: 60% of the requests of books are failing'])
})
