import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { connect } from 'node:tls'
import type { GatewayInput } from '../../src/gateway.ts'
import { cleanUp } from '../support/cleanup.ts'
import { send } from '../support/client.ts'
import { run, start, temporaryFile } from '../support/command.ts'
import { startGateway } from '../support/gateway.ts'
import { scrape } from '../support/metrics.ts'
import {
  DUE,
  externalAccount,
  NOT_DUE,
  type Pebble,
  startDns,
  startPebble,
  withRenewalInfo,
} from '../support/pebble.ts'
import { connectTo, freePorts, startRedis, until } from '../support/redis.ts'
import { startService } from '../support/service.ts'
import { authority } from '../support/tls.ts'

const NAME = 'shop.test'
const HOST = '127.0.0.1'
/** The lifetime of a certificate in seconds: as long as a test may take. */
const LIFE = 60

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-acme-'))
  cleanUp(t, () => rm(folder, { recursive: true, maxRetries: 5 }))
  return folder
}

/**
 * Performs a handshake and returns the certificate; rejects if the handshake fails or the certificate does not match
 * the name.
 */
async function shake(port: number, ca: string, servername = NAME): Promise<string> {
  const socket = connect({ port, host: HOST, servername, ca })
  try {
    await once(socket, 'secureConnect')
    return socket.getPeerX509Certificate()!.serialNumber
  } finally {
    socket.destroy()
  }
}

const shown = (port: number, ca: string, servername?: string): Promise<string | null> =>
  shake(port, ca, servername).catch(() => null)

/** A listener with certificates from that CA. */
function secured(port: number, { directory, ca }: Pick<Pebble, 'directory' | 'ca'>, options: object) {
  const acme = { domains: [NAME], email: 'ops@shop.test', directory: { url: directory, ca }, ...options }
  return { address: `${HOST}:${port}`, tls: { acme } }
}

test('tls-alpn-01: a gateway without a certificate gets one over its TLS listener, and still has it after a restart', async (t) => {
  const [port] = await freePorts(1)
  const pebble = await startPebble(t, await startDns(t), { tlsPort: port! })
  const folder = await temporaryFolder(t)
  const service = await startService(t)
  const config: GatewayInput = {
    listeners: [secured(port!, pebble, { folder }), { address: `${HOST}:0` }],
    services: { shop: { instances: [service.url] } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'shop' }],
  }
  const { gateway, log } = await startGateway(t, config)
  await log.line({ message: 'A certificate was issued' })
  const root = await pebble.root()
  await until('a certificate', async () => (await shown(port!, root)) !== null)
  const before = await shake(port!, root)
  // Only a CA sees the certificate of a challenge, and nothing of it is left.
  assert.deepEqual(await readdir(join(folder, 'challenges')), [])
  assert.doesNotMatch(JSON.stringify(log.lines), /PRIVATE KEY/)
  const metrics = await scrape(gateway.addresses[1]!.port)
  assert.equal(metrics.sum('sallyport_acme_orders_total', { name: NAME, outcome: 'issued' }), 1)
  assert.equal(metrics.sum('sallyport_acme_last_order_successful', { name: NAME }), 1)
  assert.ok(Math.abs(metrics.sum('sallyport_acme_issued_timestamp_seconds', { name: NAME }) - Date.now() / 1000) < 60)
  await gateway.close()
  await pebble.kill()
  const second = await startGateway(t, config)
  assert.equal(await shake(port!, root), before)
  assert.equal(second.log.lines.filter(({ message }) => message === 'A certificate was issued').length, 0)
})

test('http-01: only challenges are answered before redirects, routes, policies and limits', async (t) => {
  const [plain, port] = await freePorts(2)
  const pebble = await startPebble(t, await startDns(t), { httpPort: plain! })
  const service = await startService(t)
  const { log } = await startGateway(t, {
    listeners: [
      secured(port!, pebble, { challenge: 'http-01', folder: await temporaryFolder(t) }),
      { address: `${HOST}:${plain}`, redirectToHttps: true },
    ],
    services: { shop: { instances: [service.url] } },
    policies: {
      auth: { methods: { jwt: { secret: 's'.repeat(32), algorithms: ['HS256'] } } },
      'rate-limit': { tiers: { unauthenticated: '1/h' } },
    },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'shop' }],
  })
  const { status } = await send(plain!, { path: '/.well-known/acme-challenge/evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ' })
  assert.equal(status, 401)
  await log.line({ message: 'A certificate was issued' })
  const root = await pebble.root()
  await until('a certificate', async () => (await shown(port!, root)) !== null)
  assert.deepEqual(service.received, [])
})

test('dns-01: a command gets a wildcard certificate, with two workers', async (t) => {
  const [port] = await freePorts(1)
  const dns = await startDns(t)
  const pebble = await startPebble(t, dns)
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'ca.pem'), pebble.ca)
  await writeFile(
    join(folder, 'hook.mjs'),
    `const [action, name, value] = process.argv.slice(2)
     const body = JSON.stringify({ host: name + '.', value })
     await fetch('${dns.url}/' + action + '-txt', { method: 'POST', body })`,
  )
  const { command } = await start(
    t,
    `
workers: 2
listeners:
  - address: ${HOST}:${port}
    tls:
      acme:
        domains: ["*.${NAME}"]
        directory: { url: "${pebble.directory}", ca: "${join(folder, 'ca.pem')}" }
        challenge: dns-01
        dns:
          command: ["${process.execPath}", "${join(folder, 'hook.mjs')}"]
          resolvers: ["${HOST}:${dns.port}"]
        folder: "${join(folder, 'state')}"
`,
  )
  await command.line('A certificate was issued')
  const root = await pebble.root()
  // Both workers have it.
  let row = 0
  await until('the certificate in both workers', async () => {
    row = (await shown(port!, root, `a.${NAME}`)) === null ? 0 : row + 1
    return row === 10
  })
  const state = join(folder, 'state', 'names', `_.${NAME}`)
  assert.deepEqual((await readdir(state)).toSorted(), ['attempts.1', 'certificate.1', 'lock.1'])
  assert.match(await readFile(join(state, 'certificate.1'), 'utf8'), /PRIVATE KEY/)
})

/** A DNS hook that records its caller before it does anything. */
async function startHook(t: TestContext, dns: Awaited<ReturnType<typeof startDns>>, asked: (who: string) => void) {
  const server = createServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      const { action, name, value } = JSON.parse(text) as Record<'action' | 'name' | 'value', string>
      if (action === 'set') asked(String(request.headers['x-gateway']))
      const done = action === 'set' ? dns.setTxt(`${name}.`, value) : dns.clearTxt(`${name}.`)
      void done.then(() => response.end())
    })
  })
  server.listen(0, HOST)
  await once(server, 'listening')
  cleanUp(t, () => server.close().closeAllConnections())
  return `http://${HOST}:${(server.address() as AddressInfo).port}/`
}

test('two gateways share a Redis: when the one with the order is killed, the other gets the certificate, and no handshake fails during renewal', async (t) => {
  const dns = await startDns(t)
  const pebble = await startPebble(t, dns, { validity: LIFE })
  // The first certificate is renewed at a tenth of its lifetime, the earliest possible; the second one is not due.
  const ca = await withRenewalInfo(t, pebble, (place) => (place === 0 ? DUE : NOT_DUE))
  const redis = await startRedis(t)
  const client = connectTo(t, redis)
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'ca.pem'), ca.ca)
  const [first, second] = await freePorts(2)
  const ports: Record<string, number> = { first: first!, second: second! }
  const running = new Map<string, Awaited<ReturnType<typeof start>>['command']>()
  const asked: string[] = []
  const url = await startHook(t, dns, (who) => {
    asked.push(who)
    if (asked.length === 1) running.get(who)!.child.kill('SIGKILL')
  })
  const yamlOf = (name: string): string => `
workers: 1
secrets: ${'s'.repeat(32)}
stores: { redis: { url: "${redis.url}" } }
listeners:
  - address: ${HOST}:${ports[name]}
    tls:
      acme:
        domains: [${NAME}]
        directory: { url: "${ca.directory}", ca: "${join(folder, 'ca.pem')}" }
        challenge: dns-01
        dns: { url: "${url}", headers: { X-Gateway: ${name} }, resolvers: ["${HOST}:${dns.port}"] }
`
  const launch = async (name: string): Promise<void> => {
    const { command } = await start(t, yamlOf(name))
    running.set(name, command)
  }
  await launch('first')
  await until('the order', () => asked.length === 1)
  await launch('second')
  // Time passes.
  const lock = `sallyport:acme:{${NAME}}:lock`
  assert.equal(await client.exists(lock), 1)
  await client.pexpire(lock, 1)
  const root = await pebble.root()
  const port = ports['second']!
  await until('a certificate', async () => (await shown(port, root)) !== null)
  assert.deepEqual(asked, ['first', 'second'])
  // Another gateway joins and finds it, or its successor if it takes long to start. From then on every handshake with either
  // gateway must succeed, including during the renewal.
  const before = await shake(port, root)
  const seen = new Set([before])
  await launch('first')
  await until('a renewal in both gateways', async () => {
    const [a, b] = [await shake(port, root), await shake(ports['first']!, root)]
    seen.add(a).add(b)
    return a !== before && a === b
  })
  // Both gateways share one order. The calls of the hook are not counted: even when told not to, pebble reuses one
  // authorization in a hundred.
  assert.equal(seen.size, 2)
})

test('handshakes succeed while the CA is down', async (t) => {
  const [port] = await freePorts(1)
  const pebble = await startPebble(t, await startDns(t), { tlsPort: port!, validity: LIFE })
  const ca = await withRenewalInfo(t, pebble, () => DUE)
  const folder = await temporaryFolder(t)
  const { log } = await startGateway(t, { listeners: [secured(port!, ca, { folder })] })
  const root = await pebble.root()
  await until('a certificate', async () => (await shown(port!, root)) !== null)
  const before = await shake(port!, root)
  await until('a request for renewal information', () => ca.asked.length === 1)
  await pebble.kill()
  await until('a failure', async () => {
    assert.equal(await shake(port!, root), before)
    return log.lines.some(({ message }) => message === 'A CA has not issued a certificate')
  })
  const line = await log.line({ message: 'A certificate could not be renewed yet; it is used until it expires' })
  assert.equal(line['level'], 'warn')
  assert.equal(await shake(port!, root), before)
})

test('a failed start releases everything', async (t) => {
  const redis = await startRedis(t)
  const server = createTcpServer().listen(0, HOST)
  await once(server, 'listening')
  cleanUp(t, () => void server.close())
  const { port } = server.address() as AddressInfo
  const yaml = `
admin: false
workers: 1
secrets: ${'s'.repeat(32)}
stores: { redis: { url: "${redis.url}" } }
listeners:
  - address: ${HOST}:${port}
    tls: { acme: { domains: [${NAME}], directory: "https://${HOST}:1/" } }
`
  const { code, stderr } = await run(['start', '--config', await temporaryFile(t, 'sallyport.yaml', yaml)])
  assert.notEqual(code, 0)
  assert.match(stderr, /in use/)
  assert.deepEqual(await connectTo(t, redis).keys('sallyport:acme:*'), [])
})

test('the configured external account is used, and the first CA that issues a certificate wins', async (t) => {
  const [port] = await freePorts(1)
  const pebble = await startPebble(t, await startDns(t), { tlsPort: port!, external: true })
  const directory = [
    `https://${HOST}:1/nobody`,
    { url: pebble.directory, ca: pebble.ca },
    { url: pebble.directory, ca: pebble.ca, eab: externalAccount },
  ]
  const listener = secured(port!, pebble, { folder: await temporaryFolder(t), directory })
  const { log } = await startGateway(t, { listeners: [listener] })
  await log.line({ message: 'A certificate was issued', directory: pebble.directory })
  const refused = log.lines.filter(({ message }) => message === 'A CA has not issued a certificate')
  assert.equal(refused.length, 2)
  assert.match(JSON.stringify(refused[0]), /cannot be reached/)
  assert.match(JSON.stringify(refused[1]), /wants an external account: set eab/)
  assert.doesNotMatch(JSON.stringify(log.lines), new RegExp(externalAccount.hmacKey))
})

test('the admin API does not show ACME secrets', async (t) => {
  const pebble = { directory: 'https://127.0.0.1:1/dir', ca: authority.cert } as Pebble
  const listener = secured(0, pebble, {
    folder: await temporaryFolder(t),
    challenge: 'dns-01',
    directory: { url: pebble.directory, eab: { keyId: 'kid-1', hmacKey: 'aSecretOfTheCertificateAuthority' } },
    dns: {
      url: 'http://127.0.0.1:1/?token=hunter2',
      headers: { Authorization: 'Bearer s3cr3t', 'X-Token': 'hunter3' },
    },
  })
  const { gateway, log } = await startGateway(t, { listeners: [listener], admin: { address: `${HOST}:0` } })
  await log.line({ message: 'A CA has not issued a certificate' })
  const { status, text } = await send(gateway.adminAddress!.port, { path: '/config' })
  assert.equal(status, 200)
  assert.match(text, /dns-01/)
  assert.doesNotMatch(text + JSON.stringify(log.lines), /aSecretOf|hunter|s3cr3t|PRIVATE KEY/)
})
