import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { describe, it } from 'node:test'
import { loadConfig } from '../../src/config/load.ts'
import type { GatewayConfig } from '../../src/config/schema.ts'
import { version } from '../../src/core/version.ts'
import { cleanUp } from '../support/cleanup.ts'
import { temporaryFile } from '../support/command.ts'
import { chart, helm, helmTemplate, kustomize, type Manifests, read, valuesFile } from '../support/manifests.ts'

const root = join(import.meta.dirname, '../..')
const specification = read(readFileSync(join(import.meta.dirname, 'specification.yaml'), 'utf8'))
const redis = { name: 'REDIS_URL', value: 'redis://redis:6379' }
const valueSets = ['specification', 'production', 'own-configuration', 'discovery']

/** The configuration of the image, in a pod with the environment of the specification. */
function imageConfig(): Promise<GatewayConfig> {
  return loadConfig(join(root, 'deploy/docker/sallyport.yaml'), { JWT_SECRET: 's'.repeat(32) })
}

function podOf({ Deployment }: Manifests) {
  const pod = Deployment.spec?.template.spec
  const container = pod?.containers[0]
  if (pod === undefined || container === undefined) throw new Error('a Deployment without a container')
  return { pod, container, labels: Deployment.spec?.template.metadata?.labels ?? {} }
}

/**
 * Holds for every Deployment, however it was created: names and labels match, and there are no unnecessary permissions.
 */
async function assertSound(manifests: Manifests, config: GatewayConfig): Promise<void> {
  const { pod, container, labels } = podOf(manifests)
  const { Deployment, Service, HorizontalPodAutoscaler, NetworkPolicy, PodDisruptionBudget, ServiceMonitor } = manifests

  assert.equal(pod.terminationGracePeriodSeconds, (config.shutdownDelay + config.drainTimeout) / 1000 + 10)

  const ports = container.ports?.map(({ name }) => name)
  for (const probe of [container.startupProbe, container.livenessProbe, container.readinessProbe])
    assert.ok(ports?.includes(String(probe?.httpGet?.port)))
  assert.equal(container.livenessProbe?.httpGet?.path, '/health/live')
  assert.equal(container.readinessProbe?.httpGet?.path, '/health/ready')

  const selectors = [
    Service.spec?.selector,
    Deployment.spec?.selector.matchLabels,
    PodDisruptionBudget?.spec?.selector?.matchLabels,
    NetworkPolicy?.spec?.podSelector?.matchLabels,
    ...(pod.topologySpreadConstraints ?? []).map(({ labelSelector }) => labelSelector?.matchLabels),
  ]
  for (const selector of selectors) assert.deepEqual({ ...labels, ...selector }, labels)
  const wanted = ServiceMonitor?.spec?.selector.matchLabels
  assert.deepEqual({ ...Service.metadata?.labels, ...wanted }, Service.metadata?.labels)
  for (const { port } of ServiceMonitor?.spec?.endpoints ?? [])
    assert.ok(Service.spec?.ports?.some(({ name }) => name === port))
  if (HorizontalPodAutoscaler !== undefined) {
    assert.equal(HorizontalPodAutoscaler.spec?.scaleTargetRef.name, Deployment.metadata?.name)
    assert.equal(Deployment.spec?.replicas, undefined)
  }

  assert.equal(pod.automountServiceAccountToken, manifests.Role !== undefined)
  assert.equal(pod.serviceAccountName, manifests.ServiceAccount?.metadata?.name)
  assert.deepEqual(pod.securityContext, {
    runAsNonRoot: true,
    runAsUser: 65532,
    runAsGroup: 65532,
    seccompProfile: { type: 'RuntimeDefault' },
  })
  assert.deepEqual(container.securityContext, {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  })
}

describe('the kustomize base', () => {
  it('is the manifest of the specification plus Redis', () => {
    const base = kustomize('base')
    const { container } = podOf(base)
    assert.deepEqual(container.env?.at(-1), redis)
    container.env?.pop()
    assert.deepEqual(base, specification)
  })
})

describe('the kustomize overlay for production', () => {
  const manifests = kustomize('production')

  it('is valid and consistent', async () => {
    await assertSound(manifests, await imageConfig())
  })

  it('has all resources for production', () => {
    assert.deepEqual(Object.keys(manifests).toSorted(), [
      'Deployment',
      'HorizontalPodAutoscaler',
      'NetworkPolicy',
      'PodDisruptionBudget',
      'Service',
      'ServiceAccount',
      'ServiceMonitor',
    ])
  })

  it('keeps the resources, variables and Service type of the specification', () => {
    const { container } = podOf(manifests)
    const before = podOf(specification).container
    assert.deepEqual(container.resources, before.resources)
    assert.deepEqual(container.env, [...(before.env ?? []), redis])
    assert.equal(manifests.Service.spec?.type, 'LoadBalancer')
  })

  it('uses the image of the same version', () => {
    assert.equal(podOf(manifests).container.image, `microservice-platform/api-gateway:${version}`)
  })

  it('allows traffic to every service of the configuration, and to Redis', async () => {
    const rules = manifests.NetworkPolicy?.spec?.egress?.flatMap(({ ports = [] }) => ports) ?? []
    const { services } = await imageConfig()
    const ports = Object.values(services).flatMap(({ instances }) => instances.map(({ url }) => url.port))
    assert.equal(ports.length, 5)
    for (const wanted of [...ports, 6379, 53]) {
      const rule = rules.find(({ port, endPort }) => Number(port) <= wanted && wanted <= (endPort ?? Number(port)))
      assert.ok(rule !== undefined, `no rule for ${wanted}`)
    }
  })
})

/**
 * Holds if the gateway may discover instances: it can read EndpointSlices and reach the API server, and nothing more.
 */
function assertDiscovers({ Role, RoleBinding, ServiceAccount, NetworkPolicy }: Manifests): void {
  const slices = { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] }
  assert.deepEqual(Role?.rules, [slices])
  assert.equal(RoleBinding?.roleRef.name, Role.metadata?.name)
  assert.equal(RoleBinding?.subjects?.[0]?.name, ServiceAccount?.metadata?.name)
  const open =
    NetworkPolicy?.spec?.egress?.filter(({ to }) => to === undefined).flatMap(({ ports = [] }) => ports) ?? []
  assert.deepEqual(
    open.map(({ port }) => port),
    [53, 53, 443, 6443],
  )
}

describe('the kustomize component for discovery', () => {
  it('gives the gateway of the production overlay access to EndpointSlices', async (t) => {
    const kubernetes = join(root, 'deploy/kubernetes')
    const folder = await mkdtemp(join(tmpdir(), 'sallyport-kustomize-'))
    cleanUp(t, () => rm(folder, { recursive: true }))
    const from = (name: string): string => relative(folder, join(kubernetes, name))
    await writeFile(
      join(folder, 'kustomization.yaml'),
      JSON.stringify({ namespace: 'gateways', resources: [from('production')], components: [from('discovery')] }),
    )
    const manifests = kustomize(relative(kubernetes, folder))
    await assertSound(manifests, await imageConfig())
    assertDiscovers(manifests)
    assert.equal(manifests.RoleBinding?.subjects?.[0]?.namespace, 'gateways')
  })
})

describe('the Helm chart', () => {
  it('enables discovery if the values say so', async (t) => {
    const manifests = helmTemplate('discovery')
    const text = manifests.ConfigMap?.data?.['sallyport.yaml'] ?? ''
    const config = await loadConfig(await temporaryFile(t, 'sallyport.yaml', text), {})
    assert.equal(config.services['users']?.discover?.kubernetes?.service, 'users')
    await assertSound(manifests, config)
    assertDiscovers(manifests)
  })

  for (const values of valueSets) {
    it(`passes helm lint with the values ${values}`, () => {
      const { status, stdout, stderr } = helm('lint', chart, '--strict', '--quiet', '--values', valuesFile(values))
      assert.equal(status, 0, stdout + stderr)
    })
  }

  it('renders the values "production" to the same manifests as the overlay', async () => {
    const manifests = helmTemplate('production')
    await assertSound(manifests, await imageConfig())
    const rendered = withoutLabels(manifests)
    const { container } = podOf(rendered)
    assert.deepEqual(container.env?.splice(-3), [
      { name: 'LOG_LEVEL', value: 'INFO' },
      { name: 'SHUTDOWN_DELAY', value: '5s' },
      { name: 'DRAIN_TIMEOUT', value: '30s' },
    ])
    assert.equal(container.imagePullPolicy, 'IfNotPresent')
    delete container.imagePullPolicy
    assert.deepEqual(rendered, withoutLabels(kustomize('production')))
  })

  it('renders the values "specification" to the specification, without Redis and newer resources', async () => {
    const manifests = helmTemplate('specification')
    await assertSound(manifests, await imageConfig())
    assert.deepEqual(Object.keys(manifests).toSorted(), ['Deployment', 'Service', 'ServiceAccount'])
    const { container } = podOf(manifests)
    const before = podOf(specification).container
    assert.equal(manifests.Deployment.spec?.replicas, 3)
    assert.deepEqual(container.resources, before.resources)
    assert.deepEqual(container.env?.slice(0, -3), before.env)
  })

  it('mounts a custom configuration, restarts on its changes, and passes on all other settings', async (t) => {
    const manifests = helmTemplate('own-configuration')
    const text = manifests.ConfigMap?.data?.['sallyport.yaml'] ?? ''
    const file = await temporaryFile(t, 'sallyport.yaml', text)
    const config = await loadConfig(file, { USER_SERVICE_URL: 'http://users-1:8001,http://users-2:8001' })
    assert.deepEqual(
      config.services['users']?.instances.map(({ url }) => url.host),
      ['users-1', 'users-2'],
    )
    assert.equal(config.drainTimeout, 60_000)
    await assertSound(manifests, config)

    const { pod, container } = podOf(manifests)
    assert.deepEqual(pod.volumes, [{ name: 'config', configMap: { name: manifests.ConfigMap?.metadata?.name } }])
    assert.deepEqual(container.volumeMounts, [{ name: 'config', mountPath: '/etc/sallyport', readOnly: true }])
    assert.match(manifests.Deployment.spec?.template.metadata?.annotations?.['checksum/config'] ?? '', /^[0-9a-f]{64}$/)
    assert.equal(container.image, `microservice-platform/api-gateway@sha256:${'a'.repeat(64)}`)
    assert.equal(manifests.Service.spec?.ports?.[0]?.port, 8080)
    assert.equal(manifests.Service.spec?.externalTrafficPolicy, undefined)
    assert.deepEqual(
      container.env?.map(({ name }) => name),
      ['JWT_SECRET', 'REDIS_URL', 'USER_SERVICE_URL', 'TRUSTED_PROXY', 'LOG_LEVEL', 'OTEL_EXPORTER_OTLP_ENDPOINT'],
    )
  })

  for (const [set, told] of [
    ['replicas=3', "additional properties 'replicas' not allowed"],
    ['logLevel=LOUD', "'/logLevel': value must be one of"],
    ['redisUrl=redis:6379', "'/redisUrl'"],
    ['service.port=0', "'/service/port'"],
    ['image.digest=latest', "'/image/digest'"],
  ] as const) {
    it(`rejects ${set}`, () => {
      const { status, stderr } = helm('template', 'test', chart, '--set', set)
      assert.notEqual(status, 0)
      assert.ok(stderr.includes(told), stderr)
    })
  }

  it('has the same version as the gateway', () => {
    const text = readFileSync(join(chart, 'Chart.yaml'), 'utf8')
    assert.match(text, new RegExp(`^version: ${version}$`, 'm'))
    assert.match(text, new RegExp(`^appVersion: ${version}$`, 'm'))
  })

  it('documents every value in its README', () => {
    const text = readFileSync(join(chart, 'README.md'), 'utf8')
    const schema = JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')) as { properties: object }
    const { global: _, ...properties } = schema.properties as Record<string, unknown>
    for (const name of Object.keys(properties)) assert.ok(text.includes(`\`${name}`), name)
  })
})

/** Labels say what created an object; those used in selectors are compared elsewhere. */
function withoutLabels(manifests: Manifests): Manifests {
  const copy = structuredClone(manifests)
  for (const each of Object.values(copy) as { metadata?: { labels?: unknown } }[]) delete each.metadata?.labels
  delete copy.Deployment.spec?.template.metadata?.labels
  return copy
}
