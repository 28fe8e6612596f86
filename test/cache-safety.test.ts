import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

type CacheOptions = Exclude<NonNullable<GatewayInput['policies']>['cache'], false | undefined>

/** A site with sessions as frameworks implement them: it sends no Cache-Control, and sets its cookie at login. */
function sessions() {
  const users = new Map<string, string>()
  return (request: IncomingMessage, response: ServerResponse): void => {
    const [, id = ''] = /sid=([\da-f-]+)/.exec(request.headers.cookie ?? '') ?? []
    const name = /^\/login\/(\w+)$/.exec(request.url ?? '')?.[1]
    if (name === undefined) return void response.end(`Hello ${users.get(id) ?? 'stranger'}`)
    const made = randomUUID()
    users.set(made, name)
    response.setHeader('Set-Cookie', `sid=${made}; HttpOnly`)
    response.writeHead(303, { Location: '/' }).end()
  }
}

for (const cache of [{ ttl: '30s' }, { heuristic: 0.5 }, {}] satisfies CacheOptions[])
  test(`each user gets the page of their own session, with ${JSON.stringify(cache)}`, async (t) => {
    const service = await startService(t, sessions())
    const { port } = await startGateway(t, proxyTo(service.url, { policies: { cache } }))
    const login = async (name: string): Promise<string> => {
      const { headers } = await send(port, { path: `/login/${name}`, method: 'POST' })
      return headers['set-cookie']![0]!.split(';', 1)[0]!
    }
    const page = async (cookie?: string): Promise<string> =>
      (await send(port, { path: '/', headers: cookie === undefined ? {} : { Cookie: cookie } })).text
    const [alice, bob] = [await login('alice'), await login('bob')]
    for (let i = 0; i < 2; i++) {
      assert.equal(await page(alice), 'Hello alice')
      assert.equal(await page(bob), 'Hello bob')
      assert.equal(await page(), 'Hello stranger')
    }
  })

/** A service that creates links from the forwarding headers, as frameworks do. */
async function startLinks(t: TestContext, config: GatewayInput) {
  const service = await startService(t, ({ headers }, response) => {
    response.setHeader('Cache-Control', 'max-age=60')
    response.end(`${String(headers['x-forwarded-proto'])}://${String(headers['x-forwarded-host'])} ${headers.host}`)
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...config, policies: { cache: {} } }))
  return { port, page: async (headers: Record<string, string>) => (await send(port, { headers })).text }
}

test('X-Forwarded-Host and -Proto of a trusted proxy cannot poison pages of another host', async (t) => {
  const { page } = await startLinks(t, { trustedProxies: ['127.0.0.1'] })
  const host = { Host: 'gateway' }
  for (const [forwarded, url] of [
    ['evil.example', 'http://evil.example gateway'],
    ['shop.example', 'http://shop.example gateway'],
    ['evil.example', 'http://evil.example gateway'],
  ] as const)
    assert.equal(await page({ ...host, 'X-Forwarded-Host': forwarded }), url)
  assert.equal(await page(host), 'http://gateway gateway')
  assert.equal(await page({ ...host, 'X-Forwarded-Proto': 'https' }), 'https://gateway gateway')
})

test('other forwarded headers of a trusted proxy cannot poison pages either', async (t) => {
  const service = await startService(t, ({ headers }, response) => {
    response.setHeader('Cache-Control', 'max-age=60')
    response.end(`${String(headers['x-auth-request-user'])} ${String(headers['x-forwarded-prefix'])}`)
  })
  const { port } = await startGateway(
    t,
    proxyTo(service.url, {
      trustedProxies: ['127.0.0.1'],
      proxyFields: ['X-Auth-Request-*', 'X-Forwarded-Prefix'],
      policies: { cache: {} },
    }),
  )
  const page = async (headers: Record<string, string>) => (await send(port, { headers })).text
  assert.equal(await page({ 'X-Auth-Request-User': 'alice' }), 'alice undefined')
  assert.equal(await page({ 'X-Auth-Request-User': 'bob' }), 'bob undefined')
  assert.equal(await page({ 'X-Forwarded-Prefix': '/shop' }), 'undefined /shop')
  assert.equal(await page({}), 'undefined undefined')
  assert.equal(service.received.length, 4)
})

for (const field of ['X-Forwarded-For', 'X-Real-IP', 'X-Client-IP'])
  test(`a reply that varies by address, by ${field}, is not used for other addresses`, async (t) => {
    const service = await startService(t, ({ headers }, response) => {
      response.setHeader('Cache-Control', 'max-age=60')
      response.setHeader('Vary', field)
      response.end(String(headers[field.toLowerCase()]))
    })
    const { port } = await startGateway(
      t,
      proxyTo(service.url, { trustedProxies: ['127.0.0.1'], proxyFields: ['X-Client-IP'], policies: { cache: {} } }),
    )
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      const { text } = await send(port, { headers: { 'X-Forwarded-For': address, [field]: address } })
      assert.equal(text.split(',')[0], address)
    }
  })

test('X-Forwarded-Host of untrusted clients is ignored', async (t) => {
  const { page } = await startLinks(t, {})
  assert.equal(await page({ Host: 'shop', 'X-Forwarded-Host': 'evil.example' }), 'http://shop shop')
  assert.equal(await page({ Host: 'shop' }), 'http://shop shop')
})

test('Host is normalized, both for the service and for the key', async (t) => {
  const { page } = await startLinks(t, {})
  assert.equal(await page({ Host: 'SHOP.Example' }), 'http://shop.example shop.example')
  assert.equal(await page({ Host: 'shop.example' }), 'http://shop.example shop.example')
})

test('event streams are forwarded as they arrive, and not stored', async (t) => {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, { policies: { cache: { ttl: '30s' } } }))
  for (const number of [1, 2]) {
    const client = await connect(t, port)
    client.write('GET /events HTTP/1.1\r\nHost: h\r\nAccept: text/event-stream\r\n\r\n')
    const peer = await service.accept()
    await peer.request()
    peer.write('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: public, max-age=60\r\n\r\n')
    peer.write(`data: ${number}\n\n`)
    await client.until(`data: ${number}\n\n`)
    peer.end()
    await client.until('0\r\n\r\n')
  }
})
