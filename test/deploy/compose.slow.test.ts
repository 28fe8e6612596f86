import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { parse } from 'yaml'
import { z } from 'zod'
import { serviceNames, usualPorts } from '../../examples/platform/platform.ts'
import { promtool } from '../support/prometheus.ts'

const root = join(import.meta.dirname, '../..')
const folder = join(root, 'deploy/compose')
const file = join(folder, 'docker-compose.yml')

const serviceSchema = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  environment: z.array(z.string()).optional(),
  ports: z.array(z.string()).optional(),
  depends_on: z.array(z.string()).optional(),
  volumes: z.array(z.string()).optional(),
})

const { services } = z
  .object({ services: z.record(z.string(), serviceSchema) })
  .parse(parse(readFileSync(file, 'utf8'), { merge: true }))

/** The service of the specification, literally. */
const specification = serviceSchema.parse(
  parse(`
  image: microservice-platform/api-gateway:latest
  environment:
    - REDIS_URL=redis://redis:6379
    - USER_SERVICE_URL=http://user-service:8001
    - ORDER_SERVICE_URL=http://order-service:8002
    - INVENTORY_SERVICE_URL=http://inventory-service:8003
    - PAYMENT_SERVICE_URL=http://payment-service:8004
    - NOTIFICATION_SERVICE_URL=http://notification-service:8005
    - JWT_SECRET=\${JWT_SECRET}
    - LOG_LEVEL=INFO
  ports:
    - "8000:8000"
  depends_on:
    - redis
    - user-service
    - order-service
    - inventory-service
    - payment-service
    - notification-service
`),
)

function composeConfig(environment: Readonly<Record<string, string>>) {
  const { JWT_SECRET: _, ...inherited } = process.env
  const env = { ...inherited, ...environment }
  return spawnSync('docker-compose', ['--file', file, 'config', '--quiet'], { env, encoding: 'utf8' })
}

test('docker compose accepts the file', () => {
  const { status, stderr } = composeConfig({ JWT_SECRET: 's'.repeat(32) })
  assert.equal(status, 0, stderr)
})

test('without JWT_SECRET docker compose reports that it is missing', () => {
  const { status, stderr } = composeConfig({})
  assert.notEqual(status, 0)
  assert.match(stderr, /the secret that tokens are signed with/)
})

test('the gateway matches the specification, and has an error message for a missing JWT_SECRET', () => {
  const { image, environment = [], ports, depends_on } = services['api-gateway'] ?? assert.fail()
  const plain = environment.map((variable) => variable.replace(/\$\{JWT_SECRET:\?[^}]*\}/, '${JWT_SECRET}'))
  assert.deepEqual({ image, environment: plain, ports, depends_on }, specification)
})

test('the five services, Redis, Prometheus and Grafana are defined', () => {
  const others = ['redis', 'prometheus', 'grafana']
  assert.deepEqual(Object.keys(services), ['api-gateway', ...serviceNames, ...others])
  for (const name of serviceNames) {
    assert.deepEqual(services[name]?.command, [name])
    const variable = `${name.toUpperCase().replace('-', '_')}_URL=http://${name}:${usualPorts[name][0]}`
    assert.ok(services['api-gateway']?.environment?.includes(variable))
  }
})

test('every build context and mounted file exists in the repository', () => {
  for (const { build, volumes = [] } of Object.values(services)) {
    if (build !== undefined) assert.ok(existsSync(join(folder, build.context, build.dockerfile)), build.dockerfile)
    const sources = volumes.map((volume) => volume.split(':')[0] ?? '').filter((source) => source.startsWith('.'))
    for (const source of sources) assert.ok(existsSync(join(folder, source)), source)
  }
})

test('everything but the gateway is published on loopback only', () => {
  for (const [name, { ports = [] }] of Object.entries(services)) {
    if (name === 'api-gateway') continue
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:/)
  }
})

test('the configuration of Prometheus differs from the usual one only in the address of the gateway', () => {
  const own: unknown = parse(readFileSync(join(folder, 'prometheus.yml'), 'utf8').replace('api-gateway:', '127.0.0.1:'))
  const usual: unknown = parse(readFileSync(join(root, 'deploy/prometheus/prometheus.yml'), 'utf8'))
  assert.deepEqual(own, usual)
})

test('Prometheus accepts its configuration and finds the mounted rules', (t) => {
  const mounted = mkdtempSync(join(tmpdir(), 'sallyport-'))
  t.after(() => rmSync(mounted, { recursive: true }))
  for (const volume of services['prometheus']?.volumes ?? []) {
    const [source = '', target = ''] = volume.split(':')
    if (source.startsWith('.')) cpSync(join(folder, source), join(mounted, target), { recursive: true })
  }
  const { content, output } = promtool(join(mounted, 'etc/prometheus'), 'check', 'config', 'prometheus.yml')
  assert.ok(content, output)
  assert.match(output, /2 rule files found/)
})

test('Grafana finds its data source and the mounted dashboards', () => {
  const { environment = [], volumes = [] } = services['grafana'] ?? assert.fail()
  assert.ok(environment.includes('PROMETHEUS_URL=http://prometheus:9090'))
  const provider = readFileSync(join(root, 'deploy/grafana/provisioning/dashboards/sallyport.yml'), 'utf8')
  const [, path] = /^ +path: (\S+)/m.exec(provider) ?? []
  assert.ok(volumes.includes(`../grafana/dashboards:${path}:ro`))
})
