import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { type MetricEntry, metricTable } from '../src/core/metric-table.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { GrpcClient } from './support/grpc-client.ts'
import { scrape } from './support/metrics.ts'
import { connect } from './support/peer.ts'
import { startRedis } from './support/redis.ts'
import { startDns } from './support/dns-server.ts'
import { startService } from './support/service.ts'
import { authority, tlsListeners, writeLeaf } from './support/tls.ts'

const table = Object.entries<MetricEntry>(metricTable).filter(([, { exported = true }]) => exported)

test('every metric in the table is exposed with exactly its labels, and promtool accepts the output', async (t) => {
  const service = await startService(t)
  const redis = await startRedis(t)
  const dns = await startDns(t)
  dns.set('found.internal', 'A', { records: ['127.0.0.1'] })
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-catalogue-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const certificate = writeLeaf(t, authority.issue())
  const { port } = await startGateway(t, {
    listeners: [
      { address: '127.0.0.1:0' },
      ...tlsListeners([certificate], { acme: { domains: ['shop.test'], directory: 'https://127.0.0.1:1/', folder } })
        .listeners,
    ],
    stores: { redis: { url: redis.url, timeout: '1s' } },
    services: {
      backend: { instances: [service.url], concurrency: { mode: 'adaptive' } },
      pair: { instances: [service.url, 'http://127.0.0.1:1'], health: false, hedge: {} },
      found: { discover: { dns: { name: 'found.internal', port: service.port, server: dns.address } } },
    },
    policies: {
      auth: { methods: { 'api-key': { keys: [{ id: 'ci', sha256: 'a'.repeat(64) }] } }, public: ['/*'] },
      'rate-limit': {},
      validation: { mode: 'report' },
      cache: {},
      idempotency: {},
      'ip-access': { deny: ['192.0.2.0/24'] },
    },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend', mirror: { service: 'backend' } }],
  })
  await send(port)
  await new GrpcClient(t, `127.0.0.1:${port}`).unary('/shop.v1.Users/Get')
  const client = await connect(t, port)
  client.write('no request\r\n\r\n')
  await client.until('400')
  const metrics = await scrape(port)
  for (const [name, { type, help, labels }] of table) {
    assert.ok(metrics.text.includes(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`), name)
    const samples = metrics.all(type === 'histogram' ? `${name}_count` : name)
    assert.ok(samples.length > 0, name)
    for (const sample of samples) assert.deepEqual(Object.keys(sample.labels).toSorted(), labels.toSorted(), name)
  }
  execFileSync('promtool', ['check', 'metrics'], { input: metrics.text })
})

test('the guide lists the same metrics, types and labels in the same order', () => {
  const guide = readFileSync(new URL('../docs/metrics.md', import.meta.url), 'utf8')
  const rows = [...guide.matchAll(/^\| `((?:http|sallyport|process)_\w+)` +\| (\w+) +\| (.*?) +\|/gm)]
  const reported = rows.map(([, name, type, labels = '']) => [name, type, labels.replaceAll('`', '').split(', ')])
  assert.deepEqual(
    reported,
    table.map(([name, { type, labels }]) => [name, type, labels.length === 0 ? ['–'] : labels]),
  )
})
