import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'
import { authority, leaf } from './support/tls-service.ts'
import { jwkOf, pairs, tokenOf } from './support/tokens.ts'

const ca = authority.cert

/** An OpenID provider that speaks TLS: its keys, its discovery document, and the introspection of tokens. */
async function startProvider(t: TestContext) {
  let connections = 0
  const requests: string[] = []
  const server = createServer({ ...leaf, keepAliveTimeout: 60_000 }, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    const documents: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': { keys: [jwkOf(pairs.rsa.publicKey, { kid: 'first' })] },
      '/introspect': { active: true, sub: 'alice' },
    }
    request.resume()
    request.on('end', () => response.end(JSON.stringify(documents[request.url ?? ''])))
  })
  server.on('secureConnection', () => connections++)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `https://localhost:${(server.address() as AddressInfo).port}`
  cleanUp(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return { url, asked: requests, connections: () => connections }
}

async function gatewayWith(t: TestContext, methods: object, services: object = {}) {
  const service = await startService(t)
  const gateway = await startGateway(t, {
    services: { backend: { instances: [service.url], health: false }, ...services },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
    policies: { auth: { methods } },
  })
  const ask = async (token: string): Promise<number> =>
    (await send(gateway.port, { headers: { Authorization: `Bearer ${token}` } })).status
  return { ...gateway, service, ask }
}

function tokenFrom(issuer?: string): string {
  const claims = { exp: Date.now() / 1000 + 3600, ...(issuer !== undefined && { iss: issuer }) }
  return tokenOf({ header: { kid: 'first' }, claims, key: pairs.rsa.privateKey, algorithm: 'RS256' })
}

test('keys are fetched over TLS with a custom CA', async (t) => {
  const { url } = await startProvider(t)
  const { ask } = await gatewayWith(t, { jwt: { jwks: `${url}/keys`, ca } })
  assert.equal(await ask(tokenFrom()), 200)
})

test('without the CA they are not fetched, and the log says why', async (t) => {
  const { url, asked } = await startProvider(t)
  const { ask, log } = await gatewayWith(t, { jwt: { jwks: `${url}/keys` } })
  assert.equal(await ask(tokenFrom()), 503)
  const line = await log.line({
    message: 'The keys that verify tokens cannot be fetched; the current ones stay in use',
  })
  assert.match(JSON.stringify(line), /unknown CA: add it with the option ca/)
  assert.deepEqual(asked, [])
})

test('discovery and keys of each issuer use its own CA, or the common one', async (t) => {
  const [one, other] = [await startProvider(t), await startProvider(t)]
  const { ask } = await gatewayWith(t, { jwt: { ca, issuers: [{ issuer: one.url }, { issuer: other.url, ca }] } })
  assert.equal(await ask(tokenFrom(one.url)), 200)
  assert.equal(await ask(tokenFrom(other.url)), 200)
  assert.deepEqual(one.asked, ['GET /.well-known/openid-configuration', 'GET /keys'])
})

test('an introspection endpoint is called with a custom CA over reused connections', async (t) => {
  const { url, asked, connections } = await startProvider(t)
  const { ask } = await gatewayWith(t, { introspection: { url: `${url}/introspect`, ca } })
  for (const token of ['one', 'two', 'three']) assert.equal(await ask(token), 200)
  assert.deepEqual(asked, Array(3).fill('POST /introspect'))
  assert.equal(connections(), 1)
})

test('introspection through a service uses the tls options of that service', async (t) => {
  const { url, asked } = await startProvider(t)
  const users = { instances: [url], health: false, tls: { ca } }
  const { ask } = await gatewayWith(t, { introspection: { service: 'users', path: '/introspect' } }, { users })
  assert.equal(await ask('one'), 200)
  assert.deepEqual(asked, ['POST /introspect'])
})

test('redirects are not followed', async (t) => {
  const { url, asked } = await startProvider(t)
  const elsewhere = await startService(
    t,
    (_, response) => void response.writeHead(307, { Location: `${url}/introspect` }).end(),
  )
  const { ask } = await gatewayWith(t, { introspection: { url: elsewhere.url, ca } })
  assert.equal(await ask('one'), 503)
  assert.deepEqual(asked, [])
})
