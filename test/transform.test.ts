import assert from 'node:assert/strict'
import test from 'node:test'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'
import { SECRET, tokenOf } from './support/tokens.ts'

test('requests and replies are transformed on the wire', async (t) => {
  const service = await startService(t, (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const sent: unknown = JSON.parse(Buffer.concat(chunks).toString())
      response.writeHead(201, { 'Content-Type': 'application/json', ETag: '"1"', 'X-Powered-By': 'PHP' })
      response.write('{"sent":')
      response.end(`${JSON.stringify(sent)},"password":"secret"}`)
    })
  })
  const { port, log } = await startGateway(t, {
    ...proxyTo(service.url),
    policies: {
      transform: {
        request: {
          path: { match: '/people/([^/]+)', to: '/v2/users/$1' },
          query: { set: { from: '{header.X-From}' }, remove: ['debug'] },
          headers: { rename: { 'X-Token': 'X-Session' }, set: { 'X-Method': '{method}' } },
          body: { rename: { '/name': '/person/name' }, set: { '/query': '{query.q}' } },
        },
        response: {
          status: { 201: 200 },
          headers: { remove: ['X-Powered-By'] },
          body: { omit: ['/password'] },
        },
      },
    },
  })
  const reply = await send(port, {
    method: 'POST',
    path: '/people/7?debug=1&q=%0D%0AX:%20y',
    headers: { 'Content-Type': 'application/json', 'X-Token': 't', 'X-From': 'a&b', 'Transfer-Encoding': 'chunked' },
    body: '{"name":"Ann"}',
  })
  const received = service.received[0]!
  assert.equal(received.url, '/v2/users/7?q=%0D%0AX:%20y&from=a%26b')
  assert.equal(received.headers['x-session'], 't')
  assert.equal(received.headers['x-token'], undefined)
  assert.equal(received.headers['x-method'], 'POST')
  assert.equal(reply.status, 200)
  assert.equal(reply.headers['x-powered-by'], undefined)
  assert.equal(reply.headers.etag, 'W/"1"')
  assert.deepEqual(JSON.parse(reply.text), { sent: { person: { name: 'Ann' }, query: '\r\nX: y' } })
  assert.equal(Number(reply.headers['content-length']), reply.body.length)
  const logged = await log.line({ message: 'API Gateway Request' })
  assert.equal(logged['url'], `http://127.0.0.1:${port}/people/7?debug=1&q=%0D%0AX:%20y`)
})

test('the reply to HEAD has the headers of the one to GET, but no length, as the body would be changed', async (t) => {
  const service = await startService(t, (_, response) => {
    const fields = { ETag: '"1"', 'Accept-Ranges': 'bytes', 'Content-Digest': 'sha-256=:AA==:', 'Content-Length': 7 }
    response.writeHead(200, { 'Content-Type': 'application/json', ...fields }).end('{"a":1}')
  })
  const { port } = await startGateway(t, {
    ...proxyTo(service.url),
    policies: { transform: { response: { body: { omit: ['/a'] } } } },
  })
  const [get, head] = [await send(port), await send(port, { method: 'HEAD' })]
  assert.equal(get.text, '{}')
  assert.deepEqual({ ...head.headers, 'content-length': '2', date: get.headers.date }, get.headers)
  assert.equal(head.headers['content-length'], undefined)
})

test('if the client leaves, the log has the request as the client sent it', async (t) => {
  const arrived = Promise.withResolvers<string>()
  const service = await startService(t, ({ url = '' }) => arrived.resolve(url))
  const { port, log } = await startGateway(t, {
    ...proxyTo(service.url),
    policies: {
      transform: { request: { path: '/v2{path}', query: { set: { page: '2' } } } },
      'request-headers': { set: { 'User-Agent': 'gateway' } },
    },
  })
  const client = await connect(t, port)
  client.write('GET /people?page=1 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: browser\r\n\r\n')
  assert.equal(await arrived.promise, '/v2/people?page=2')
  client.socket.destroy()
  const line = await log.line({ status_code: 499 })
  assert.match(String(line['url']), /\/\/a\.example\/people\?page=1$/)
  assert.equal(line['user_agent'], 'browser')
})

test('a body that cannot be transformed causes a problem document, and the connection stays open', async (t) => {
  const service = await startService(t, (_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"password":"secret"')
  })
  const { port } = await startGateway(t, {
    ...proxyTo(service.url),
    policies: { transform: { request: { body: { omit: ['/a'] } }, response: { body: { omit: ['/password'] } } } },
  })
  const headers = { 'Content-Type': 'application/json' }
  assert.equal((await send(port, { method: 'POST', headers, body: '{' })).status, 400)
  assert.equal(service.received.length, 0)
  assert.equal(
    (await send(port, { method: 'POST', headers: { ...headers, 'Content-Encoding': 'br' }, body: '{' })).status,
    415,
  )
  const broken = await send(port)
  assert.equal(broken.status, 502)
  assert.doesNotMatch(broken.text, /secret/)
})

test('headers set from claims cannot be forged by the client', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, {
    ...proxyTo(service.url),
    policies: {
      auth: { methods: { jwt: { secret: SECRET } }, public: ['/*'] },
      transform: {
        request: {
          query: { set: { level: '{claim.level}' } },
          headers: { set: { 'X-Tenant': '{claim.org.name}', 'X-Roles': '{claim.roles}' } },
        },
      },
    },
  })
  const claims = { exp: Date.now() / 1000 + 3600, org: { name: 'Acme\r\nX-Admin: 1' }, level: 3 }
  const forged = { 'X-Tenant': 'Evil', 'X-Roles': 'admin' }
  await send(port, { path: '/a?level=9', headers: { ...forged, Authorization: `Bearer ${tokenOf({ claims })}` } })
  await send(port, { path: '/b?level=9', headers: forged })
  const [known, anonymous] = service.received
  assert.equal(known!.url, '/a?level=3')
  assert.equal(known!.headers['x-tenant'], 'Acme%0D%0AX-Admin: 1')
  assert.equal(known!.headers['x-roles'], undefined)
  assert.equal(known!.headers['x-admin'], undefined)
  assert.equal(anonymous!.url, '/b')
  assert.equal(anonymous!.headers['x-tenant'], undefined)
})
