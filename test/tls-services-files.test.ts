import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import test from 'node:test'
import { Authority, type Leaf } from './support/certificates.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { temporaryFolder } from './support/redis.ts'
import { replaceLeaf, writeLeaf } from './support/tls.ts'
import { authority, startTlsService, type TlsServiceOptions } from './support/tls-service.ts'

const EXCHANGED = 'TLS files of a service were replaced: new connections use the new ones'
const KEPT = 'TLS files of a service cannot be used: the previous ones stay in use'

/** A client certificate of that name. */
function clientOf(commonName: string): Leaf {
  return authority.issueClient({ subject: { commonName } })
}

/** A service that answers whose certificate it was shown, over connections that it ends. */
const telling: TlsServiceOptions = {
  ca: authority.cert,
  requestCert: true,
  answer(_, socket) {
    const name = String(socket.getPeerCertificate().subject.CN)
    socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\nConnection: close\r\n\r\n${name}`)
  },
}

test('a replaced client certificate is used for new connections, including health checks', async (t) => {
  const checks: string[] = []
  const service = await startTlsService(t, {
    ...telling,
    answer(request, socket) {
      if (request.startsWith('GET /well')) checks.push(String(socket.getPeerCertificate().subject.CN))
      telling.answer!(request, socket)
    },
  })
  const files = writeLeaf(t, clientOf('first'))
  const health = { path: '/well', interval: '50ms' as const }
  const options = { service: { tls: { ca: authority.cert, ...files }, health } }
  const { port, log } = await startGateway(t, proxyTo(service.url, options))
  assert.equal((await send(port)).text, 'first')
  replaceLeaf(files, clientOf('second'))
  assert.equal((await log.line({ message: EXCHANGED }))['service'], 'backend')
  assert.equal((await send(port)).text, 'second')
  assert.equal(service.resumed.at(-1), false)
  const count = checks.length
  while (checks.length < count + 2) await new Promise(setImmediate)
  assert.equal(checks.at(-1), 'second')
})

test('unusable files leave the previous ones in use, and the log says why', async (t) => {
  const service = await startTlsService(t, telling)
  const files = writeLeaf(t, clientOf('first'))
  const { port, log } = await startGateway(
    t,
    proxyTo(service.url, { service: { tls: { ca: authority.cert, ...files } } }),
  )
  writeFileSync(files.key, clientOf('other').key)
  const { reason, level } = await log.line({ message: KEPT })
  assert.deepEqual([level, reason], ['error', `${files.key}: does not match the certificate of cert`])
  assert.equal((await send(port)).text, 'first')
  const { length } = log.lines
  rmSync(files.cert)
  assert.equal((await log.line({ message: KEPT }, length))['reason'], `${files.cert}: no such file`)
  assert.equal((await send(port)).text, 'first')
  assert.ok(!JSON.stringify(log.lines).includes('PRIVATE KEY'))
})

test('a replaced CA applies to new connections, and old ones stay open', async (t) => {
  const next = new Authority({ subject: { commonName: 'Next CA' } })
  const [old, fresh] = [await startTlsService(t), await startTlsService(t, next.issue())]
  const file = join(await temporaryFolder(t), 'ca.pem')
  writeFileSync(file, authority.cert)
  const tls = { ca: file }
  const services = {
    old: { instances: [old.url], health: false as const, tls },
    fresh: { instances: [fresh.url], health: false as const, tls },
  }
  const routes = Object.keys(services).map((name) => ({ id: name, match: { path: `/${name}` }, service: name }))
  const { port, log } = await startGateway(t, { services, routes })
  const ask = async (): Promise<number[]> => [
    (await send(port, { path: '/old' })).status,
    (await send(port, { path: '/fresh' })).status,
  ]
  assert.deepEqual(await ask(), [200, 502])
  writeFileSync(file, next.cert)
  for (const service of ['old', 'fresh']) await log.line({ message: EXCHANGED, service })
  // The connection that stands goes on.
  assert.deepEqual(await ask(), [200, 200])
})
