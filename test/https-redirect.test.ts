import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { startGateway } from './support/gateway.ts'
import { connect } from './support/peer.ts'
import { authority, tlsListeners, writeLeaf } from './support/tls.ts'

const HOST = 'Host: Shop.Test:8080'
const address = '127.0.0.1:0'

async function ask(t: TestContext, port: number, head: readonly string[]) {
  const client = await connect(t, port)
  client.write([...head, '', ''].join('\r\n'))
  return client.reply(head[0]!.slice(0, head[0]!.indexOf(' ')))
}

test('plain HTTP requests are redirected to the same URL with https', async (t) => {
  const secure = tlsListeners([writeLeaf(t, authority.issue())]).listeners
  const plain = [true, 443, 8443].map((redirectToHttps) => ({ address, redirectToHttps }))
  const trustedProxies = ['127.0.0.9']
  const { gateway, log } = await startGateway(t, { listeners: [...plain, ...secure], trustedProxies })
  const [ports, [own]] = [gateway.addresses.slice(0, 3), gateway.addresses.slice(3)]
  for (const [i, at] of [`shop.test:${own!.port}`, 'shop.test', 'shop.test:8443'].entries()) {
    const reply = await ask(t, ports[i]!.port, ['POST /a%20b/?c=d HTTP/1.1', HOST, 'Content-Length: 0'])
    assert.equal(reply.start, 'HTTP/1.1 308 Permanent Redirect')
    assert.equal(reply.fields.get('Location'), `https://${at}/a%20b/?c=d`)
  }
  const whole = await ask(t, ports[1]!.port, ['OPTIONS * HTTP/1.1', 'Host: [::1]:80'])
  assert.equal(whole.fields.get('Location'), 'https://[::1]/')
  assert.equal((await ask(t, ports[1]!.port, ['GET / HTTP/1.0'])).start, 'HTTP/1.1 400 Bad Request')
  assert.equal(log.requests.length, 5)
})

test('health, ACME challenges, and requests that a proxy received over https are not redirected', async (t) => {
  const listeners = [{ address, redirectToHttps: 443 }]
  const routes = [{ id: 'all', match: { path: '/*' }, reply: { status: 200, body: 'here' } }]
  const { port } = await startGateway(t, { listeners, routes, trustedProxies: ['127.0.0.1'] })
  for (const path of ['/health', '/health/live', '/health/ready', '/.well-known/acme-challenge/token'])
    assert.equal((await ask(t, port, [`GET ${path} HTTP/1.1`, HOST])).start, 'HTTP/1.1 200 OK', path)
  const proxied = await ask(t, port, ['GET / HTTP/1.1', HOST, 'X-Forwarded-Proto: https', 'X-Forwarded-For: 192.0.2.1'])
  assert.equal(proxied.body.toString(), 'here')
  const forwarded = ['X-Forwarded-Host: public.test', 'X-Forwarded-Proto: http', 'X-Forwarded-For: 192.0.2.1']
  const reply = await ask(t, port, ['GET /x HTTP/1.1', HOST, ...forwarded])
  assert.equal(reply.fields.get('Location'), 'https://public.test/x')
})

test('paths that only resemble an ACME challenge are redirected', async (t) => {
  const listeners = [{ address, redirectToHttps: 443 }]
  const routes = [{ id: 'all', match: { path: '/*' }, reply: { status: 200, body: 'here' } }]
  const { port } = await startGateway(t, { listeners, routes })
  const folder = '/.well-known/acme-challenge'
  for (const path of [`${folder}/../../x`, `${folder}/%2e%2e/%2e%2e/x`, `${folder}/..`, `${folder}/a/b`, `${folder}/`])
    assert.equal((await ask(t, port, [`GET ${path} HTTP/1.1`, HOST])).start, 'HTTP/1.1 308 Permanent Redirect', path)
})
