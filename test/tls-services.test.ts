import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { Authority, selfSigned } from './support/certificates.ts'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startDeafService } from './support/deaf-service.ts'
import { proxyTo, startGateway, type TestGatewayOptions, type TestLog } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { startService } from './support/service.ts'
import { authority, startTlsService, type TlsServiceOptions } from './support/tls-service.ts'
import { poolOf } from './support/settled.ts'

type ServiceInput = NonNullable<Parameters<typeof proxyTo>[1]>['service']

const ca = authority.cert

/** A gateway before instances with TLS, of which the tests believe the CA. */
async function before(
  t: TestContext,
  instances: string | string[],
  tls: NonNullable<ServiceInput>['tls'] = { ca },
  { service, ...options }: TestGatewayOptions & { service?: ServiceInput } = {},
) {
  return startGateway(t, proxyTo(instances, { service: { tls, ...service } }), options)
}

async function withService(t: TestContext, tls?: NonNullable<ServiceInput>['tls'], options?: TlsServiceOptions) {
  const service = await startTlsService(t, options)
  return { service, ...(await before(t, service.url, tls)) }
}

/** What the log says of the one request that failed. */
async function failure(log: TestLog): Promise<string> {
  return JSON.stringify(await log.line({ message: 'Request failed in the service' }))
}

async function refused(
  t: TestContext,
  reason: RegExp,
  tls?: NonNullable<ServiceInput>['tls'],
  options?: TlsServiceOptions,
) {
  const { service, port, log } = await withService(t, tls, options)
  const reply = await send(port)
  assert.equal(reply.status, 502)
  const { title, detail } = JSON.parse(reply.text) as { title: string; detail: string }
  assert.deepEqual([title, detail], ['Bad gateway', 'No secure connection to the service could be made.'])
  assert.match(await failure(log), reason)
  assert.deepEqual(service.requests, [])
}

test('an https instance is called over TLS 1.3, with SNI and ALPN for HTTP/1.1', async (t) => {
  const { service, port } = await withService(t)
  assert.equal((await send(port)).status, 200)
  const [socket] = service.sockets
  assert.equal(socket!.getProtocol(), 'TLSv1.3')
  assert.equal(socket!.alpnProtocol, 'http/1.1')
  assert.equal(Reflect.get(socket!, 'servername'), 'localhost')
  assert.match(service.requests[0]!, /^GET \/ HTTP\/1.1\n/)
})

test('a connection is reused', async (t) => {
  const { service, port } = await withService(t)
  for (let i = 0; i < 3; i++) assert.equal((await send(port)).status, 200)
  assert.equal(service.sockets.length, 1)
  assert.equal(service.requests.length, 3)
})

test('bodies are forwarded unchanged over TLS in both directions', async (t) => {
  const body = Buffer.alloc(700_000, 'abcdefghij')
  const { port } = await withService(t, undefined, {
    answer: (_, socket) =>
      socket.write(Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`), body])),
  })
  const reply = await send(port, { method: 'POST', body })
  assert.ok(reply.body.equals(body))
})

test('an IP address is verified against the addresses in the certificate, without SNI', async (t) => {
  const service = await startTlsService(t)
  const { port } = await before(t, `https://127.0.0.1:${service.port}`)
  assert.equal((await send(port)).status, 200)
  assert.ok(!Reflect.get(service.sockets[0]!, 'servername'))
})

test('a certificate for another name is rejected, and the log has its names', (t) =>
  refused(
    t,
    /the certificate is for DNS:other.example, not for \\"localhost\\"/,
    undefined,
    authority.issue({ names: ['other.example'] }),
  ))

test('tls.serverName is used for SNI and verification', async (t) => {
  const { service, port } = await withService(
    t,
    { ca, serverName: 'other.example' },
    authority.issue({ names: ['other.example'] }),
  )
  assert.equal((await send(port)).status, 200)
  assert.equal(Reflect.get(service.sockets[0]!, 'servername'), 'other.example')
})

test('a certificate of another CA is rejected', (t) =>
  refused(
    t,
    /unknown CA: add it with the option ca/,
    undefined,
    new Authority({ subject: { commonName: 'Other CA' } }).issue(),
  ))

test('without tls.ca, only the authorities of Node.js are trusted', (t) => refused(t, /unknown CA/, {}))

test('a self-signed certificate is rejected unless it is in tls.ca', async (t) => {
  const own = selfSigned()
  await refused(t, /self-signed and not listed in the option ca/, undefined, own)
  const { port } = await withService(t, { ca: own.cert }, own)
  assert.equal((await send(port)).status, 200)
})

test('an intermediate authority can be trusted directly', async (t) => {
  const intermediate = authority.intermediate()
  const { port } = await withService(t, { ca: intermediate.cert }, intermediate.issue())
  assert.equal((await send(port)).status, 200)
})

test('an expired certificate is rejected', (t) =>
  refused(
    t,
    /the certificate, or one in its chain, has expired/,
    undefined,
    authority.issue({ notBefore: Date.now() - 7_200_000, notAfter: Date.now() - 60_000 }),
  ))

test('a certificate that is not yet valid is rejected', (t) =>
  refused(
    t,
    /is not valid yet/,
    undefined,
    authority.issue({ notBefore: Date.now() + 60_000, notAfter: Date.now() + 7_200_000 }),
  ))

/** As curl --pinnedpubkey has it. */
function pinOf(cert: string): string {
  const key = new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' })
  return `sha256//${createHash('sha256').update(key).digest('base64')}`
}

test('the key of a certificate has to match tls.pin', async (t) => {
  const [one, other] = [authority.issue(), authority.issue()]
  const { port } = await withService(t, { ca, pin: [pinOf(other.cert), pinOf(one.cert)] }, one)
  assert.equal((await send(port)).status, 200)
  await refused(t, /does not match the option pin: it is sha256\/\//, { ca, pin: pinOf(other.cert) }, one)
})

test('a matching pin does not make an untrusted certificate valid', (t) => {
  const own = selfSigned()
  return refused(t, /self-signed/, { ca, pin: pinOf(own.cert) }, own)
})

test('tls.insecure accepts any certificate that matches the pin, with a warning and a metric', async (t) => {
  const own = selfSigned({ names: ['other.example'] })
  const { port, log } = await withService(t, { insecure: true }, own)
  assert.equal((await send(port)).status, 200)
  assert.equal(
    (await send(port, { path: '/metrics' })).text.match(/^sallyport_service_insecure.*$/m)?.[0],
    'sallyport_service_insecure{service="backend"} 1',
  )
  const { level, path } = await log.line({ message: 'Check the configuration' })
  assert.deepEqual([level, path], ['warn', 'services.backend.tls.insecure'])
  await refused(t, /does not match the option pin/, { insecure: true, pin: pinOf(authority.issue().cert) }, own)
})

for (const version of ['TLSv1.2', 'TLSv1.3'] as const)
  test(`new connections resume the previous session: ${version}`, async (t) => {
    const pin = authority.issue()
    const { service, port } = await withService(
      t,
      { ca, pin: pinOf(pin.cert) },
      { ...pin, minVersion: version, maxVersion: version, answer: answerAndClose },
    )
    for (let i = 0; i < 3; i++) assert.equal((await send(port)).status, 200)
    assert.deepEqual(service.resumed, [false, true, true])
    assert.equal(service.protocols[2], version)
  })

test('after an hour a full handshake verifies the certificate again', async (t) => {
  const clock = new ManualClock()
  const service = await startTlsService(t, { answer: answerAndClose })
  const { port } = await before(t, service.url, { ca }, { clock })
  await send(port)
  clock.advance(3_599_000)
  await send(port)
  clock.advance(1_000)
  await send(port)
  assert.deepEqual(service.resumed, [false, true, false])
})

function answerAndClose(_: string, socket: Socket): void {
  socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
}

test('a service that requires a client certificate gets the one in tls.cert', async (t) => {
  const client = authority.issueClient()
  const { service, port } = await withService(t, { ca, ...client }, { ca, requestCert: true })
  assert.equal((await send(port)).status, 200)
  assert.equal(service.sockets[0]!.getPeerCertificate().subject.CN, 'client')
})

/** A server of OpenSSL, which says what it misses, as Node does not. */
async function startOpenssl(t: TestContext, ...options: string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-tls-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const { cert, key } = authority.issue()
  for (const [name, pem] of Object.entries({ ca, cert, key })) await writeFile(join(folder, name), pem)
  const args = [
    's_server',
    '-accept',
    '127.0.0.1:0',
    '-naccept',
    '9',
    '-cert',
    'cert',
    '-key',
    'key',
    '-CAfile',
    'ca',
    '-www',
  ]
  const child = spawn('openssl', [...args, ...options], { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] })
  cleanUp(t, async () => {
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  let output = ''
  for await (const text of child.stdout) {
    output += String(text)
    const port = /ACCEPT \S+:(\d+)/.exec(output)?.[1]
    if (port !== undefined) return `https://localhost:${port}`
  }
  throw new Error(`openssl s_server ended: ${output}`)
}

for (const version of ['-tls1_2', '-tls1_3'])
  test(`a missing client certificate causes 502, with the reason in the log: ${version}`, async (t) => {
    const url = await startOpenssl(t, '-Verify', '1', '-verify_return_error', version)
    const { port, log } = await before(t, url)
    assert.equal((await send(port)).status, 502)
    assert.match(await failure(log), /asks? for a client certificate/)
  })

test('so it does over HTTP/2, where TLS 1.3 only reports it after the handshake', async (t) => {
  const url = await startOpenssl(t, '-Verify', '1', '-verify_return_error', '-tls1_3', '-alpn', 'h2')
  const { port, log } = await before(t, url, { ca }, { service: { http2: true } })
  assert.equal((await send(port)).status, 502)
  assert.match(await failure(log), /asks for a client certificate/)
})

test('a rejected client certificate causes 502, with the reason in the log', async (t) => {
  const client = new Authority({ subject: { commonName: 'Other CA' } }).issueClient()
  const { port, log } = await withService(t, { ca, ...client }, { ca, requestCert: true, maxVersion: 'TLSv1.2' })
  assert.equal((await send(port)).status, 502)
  assert.match(await failure(log), /refuses the client certificate|closed in the middle of the handshake/)
})

test('a plain HTTP service at an https URL causes 502, with the reason in the log', async (t) => {
  const service = await startService(t)
  const { port, log } = await before(t, service.url.replace('http', 'https'))
  assert.equal((await send(port)).status, 502)
  assert.match(await failure(log), /does not speak TLS: should the URL begin with http:\/\/ instead of https:\/\//)
})

test('after a failed handshake the next instance is tried, and the failure counted', async (t) => {
  const wrong = await startTlsService(t, selfSigned())
  const right = await startTlsService(t)
  const { port } = await before(t, [wrong.url, right.url])
  assert.equal((await send(port, { method: 'POST', body: 'x' })).status, 200)
  assert.equal(right.requests.length, 1)
  const metrics = (await send(port, { path: '/metrics' })).text
  const count = metrics.match(/^sallyport_instance_errors_total\{.*reason="tls".* (\d+)$/gm)
  assert.ok(
    count?.some((line) => line.includes(wrong.address) && line.endsWith(' 1')),
    String(count),
  )
})

test('timeouts.connect covers the TLS handshake', async (t) => {
  const clock = new ManualClock()
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const arrived = once(silent, 'connection')
  const right = await startTlsService(t)
  const { port, gateway } = await before(
    t,
    [`https://localhost:${(silent.address() as AddressInfo).port}`, right.url],
    { ca },
    { clock },
  )
  const pending = send(port)
  const [socket] = (await arrived) as [Socket]
  cleanUp(t, () => {
    socket.destroy()
    silent.close()
  })
  await once(socket, 'data')
  const closed = once(socket, 'close')
  clock.advance(2_300)
  assert.equal((await pending).status, 200)
  await closed
  assert.equal(poolOf(gateway).connecting, 0)
})

test('an instance that does not accept connections is reported as without TLS', async (t) => {
  const clock = new ManualClock()
  const deaf = await startDeafService(t)
  const { port, log, gateway } = await before(t, deaf.url.replace('http', 'https'), { ca }, { clock })
  const pending = send(port)
  while (poolOf(gateway).connecting === 0) await new Promise(setImmediate)
  clock.advance(2_300)
  assert.equal((await pending).status, 503)
  assert.match(await failure(log), /no answer within 2000 ms/)
})

test('health checks verify certificates like requests, and report what is wrong', async (t) => {
  const right = await startTlsService(t)
  const wrong = await startTlsService(t, authority.issue({ names: ['other.example'] }))
  const { port, log } = await before(t, [right.url, wrong.url], { ca }, { service: { health: { path: '/well' } } })
  assert.match(right.requests[0]!, /^GET \/well HTTP\/1.1\nHost: localhost:\d+\n/)
  assert.deepEqual(wrong.requests, [])
  const { reason, instance } = await log.line({ message: 'instance is unhealthy' })
  assert.equal(instance, wrong.address)
  assert.match(String(reason), /^the certificate is for DNS:other.example, not for "localhost"/)
  for (let i = 0; i < 2; i++) assert.equal((await send(port)).status, 200)
})

test('health checks send the client certificate and check the pin', async (t) => {
  const client = authority.issueClient()
  const service = await startTlsService(t, { ca, requestCert: true })
  const { log } = await before(t, service.url, { ca, ...client }, { service: { health: {} } })
  assert.equal((await log.line({ message: 'instance is healthy' }))['reason'], 'status 200')
  const pinned = await before(t, service.url, { ca, ...client, pin: pinOf(ca) }, { service: { health: {} } })
  assert.match(
    String((await pinned.log.line({ message: 'instance is unhealthy' }))['reason']),
    /does not match the option pin/,
  )
})

test('a cancelled check closes its connection, even during the handshake', async (t) => {
  const silent = createServer(() => {}).listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const arrived = once(silent, 'connection')
  cleanUp(t, () => silent.close())
  const clock = new ManualClock()
  const url = `https://localhost:${(silent.address() as AddressInfo).port}`
  const { log } = await before(t, url, { ca }, { service: { health: {} }, clock, ready: false })
  const [socket] = (await arrived) as [Socket]
  cleanUp(t, () => socket.destroy())
  await once(socket, 'data')
  const closed = once(socket, 'close')
  clock.advance(5_000)
  await closed
  assert.match(
    String((await log.line({ message: 'instance is unhealthy' }))['reason']),
    /no complete answer within 5000 ms/,
  )
})

test('NODE_TLS_REJECT_UNAUTHORIZED has no effect', async (t) => {
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.after(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'])
  await refused(t, /self-signed/, undefined, selfSigned())
})
