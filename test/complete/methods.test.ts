import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { connect, startRawService } from '../support/peer.ts'

async function setUp(t: TestContext, config: Parameters<typeof proxyTo>[1] = {}) {
  const service = await startRawService(t)
  const { port } = await startGateway(t, proxyTo(service.url, config))
  return { service, client: await connect(t, port) }
}

const METHODS = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'QUERY',
  'PROPFIND',
  'REPORT',
  'PURGE',
  'M-SEARCH',
  'get',
  "!#$%&'*+-.^_`|~9",
]

for (const method of METHODS)
  test(`${method} is forwarded with its body, and the reply returned`, async (t) => {
    const { client, service } = await setUp(t)
    client.write(`${method} /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`)
    const peer = await service.accept()
    const { start, body } = await peer.request()
    assert.equal(start, `${method} /a HTTP/1.1`)
    assert.equal(body.toString(), 'body')
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nreply')
    assert.equal((await client.reply()).body.toString(), 'reply')
  })

for (const method of ['CONNECT', 'TRACE'])
  test(`${method} is 501 and never reaches the service`, async (t) => {
    const { client, service } = await setUp(t)
    client.write(`${method} ${method === 'CONNECT' ? 'a:80' : '/'} HTTP/1.1\r\nHost: a\r\nMax-Forwards: 5\r\n\r\n`)
    const { start, fields } = await client.reply()
    assert.match(start, / 501 /)
    assert.equal(fields.get('Content-Type'), 'application/problem+json')
    assert.equal(await client.closed(), 'end')
    assert.equal(service.connections, 0)
  })

for (const line of ['OPTIONS *', 'OPTIONS http://a', 'OPTIONS /somewhere'] as const)
  test(`${line} with Max-Forwards: 0 is answered by the gateway with the allowed methods`, async (t) => {
    const { client, service } = await setUp(t, {
      policies: { 'correlation-id': {}, 'response-headers': { set: { 'X-Frame-Options': 'DENY' } } },
    })
    client.write(`${line} HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n`)
    const { start, fields } = await client.reply()
    assert.equal(start, 'HTTP/1.1 204 No Content')
    assert.match(fields.get('Allow') ?? '', /\bGET\b.*\bOPTIONS\b/)
    assert.equal(fields.get('Content-Length'), undefined)
    assert.equal(fields.get('X-Frame-Options'), 'DENY')
    assert.notEqual(fields.get('X-Correlation-ID'), undefined)
    assert.equal(service.connections, 0)
  })

test('OPTIONS * is answered by the gateway, and the connection stays open', async (t) => {
  const { client, service } = await setUp(t)
  for (const target of ['*', 'http://a']) {
    client.write(`OPTIONS ${target} HTTP/1.1\r\nHost: a\r\n\r\n`)
    assert.match((await client.reply()).start, / 204 /)
  }
  assert.equal(service.connections, 0)
})

test('Max-Forwards is decremented for OPTIONS, and unchanged for other methods', async (t) => {
  const { client, service } = await setUp(t)
  const reply = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'
  for (const [method, came, goes] of [
    ['OPTIONS', '1', '0'],
    ['OPTIONS', '10', '9'],
    ['OPTIONS', '007', '6'],
    ['GET', '0', '0'],
    ['POST', 'many', 'many'],
  ] as const) {
    client.write(`${method} /a HTTP/1.1\r\nHost: a\r\nMax-Forwards: ${came}\r\n\r\n`)
    const peer = await service.accept()
    assert.deepEqual((await peer.request()).fields.all('Max-Forwards'), [goes])
    peer.write(reply.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'))
    await client.reply()
  }
})

test('OPTIONS for a path is forwarded', async (t) => {
  const { client, service } = await setUp(t)
  client.write('OPTIONS http://a/ HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  assert.equal((await peer.request()).start, 'OPTIONS / HTTP/1.1')
  peer.write('HTTP/1.1 204 No Content\r\nAllow: GET\r\n\r\n')
  assert.equal((await client.reply()).fields.get('Allow'), 'GET')
})

test('an absolute-form target sets path and host, also over HTTP/1.0', async (t) => {
  for (const [version, host] of [
    ['1.1', 'Host: api.example.com:8080\r\n'],
    ['1.0', ''],
  ] as const) {
    const { client, service } = await setUp(t)
    client.write(`GET http://api.example.com:8080/a?b HTTP/${version}\r\n${host}\r\n`)
    const peer = await service.accept()
    const { start, fields } = await peer.request()
    assert.equal(start, 'GET /a?b HTTP/1.1')
    assert.deepEqual(fields.all('Host'), ['api.example.com:8080'])
    assert.equal(fields.get('X-Forwarded-Host'), 'api.example.com:8080')
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    assert.equal((await client.reply()).body.toString(), 'ok')
  }
})
