import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import { buffer } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { cleanUp } from '../support/cleanup.ts'
import { send } from '../support/client.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { startService } from '../support/service.ts'
import { authority, tlsListeners, writeLeaf } from '../support/tls.ts'

const plain = { listeners: [{ address: '127.0.0.1:0' }] }

function open(t: TestContext, port: number, secure = false): ClientHttp2Session {
  const session = secure
    ? connect(`https://localhost:${port}`, { ca: authority.cert })
    : connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  cleanUp(t, () => session.destroy())
  return session
}

async function ask(
  session: ClientHttp2Session,
  fields: OutgoingHttpHeaders,
): Promise<{ headers: IncomingHttpHeaders; status: number; text: string }> {
  const stream = session.request(fields)
  const content = buffer(stream)
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }]
  return { headers, status: headers[':status'] ?? 0, text: (await content).toString() }
}

test('one listener serves HTTP/1.1 and HTTP/2 clients', async (t) => {
  const service = await startService(t, (_, response) => void response.end('hello'))
  const { port, log } = await startGateway(t, proxyTo(service.url, { ...plain, policies: { 'correlation-id': {} } }))
  const session = open(t, port)
  const both = await Promise.all([
    send(port, { path: '/one' }),
    ask(session, { ':path': '/two?a=b' }),
    ask(session, { ':path': '/three' }),
  ])
  assert.deepEqual(
    both.map(({ status }) => status),
    [200, 200, 200],
  )
  assert.equal(both[1].text, 'hello')
  const line = await log.line({ url: `http://127.0.0.1:${port}/two?a=b` })
  assert.equal(line['correlation_id'], both[1].headers['x-correlation-id'])
  assert.equal(line['ip_address'], '127.0.0.1')
})

test('Via has the version of the request, and the forwarding headers the client', async (t) => {
  const service = await startService(t, (request, response) => void response.end(JSON.stringify(request.headers)))
  const { port } = await startGateway(t, proxyTo(service.url, plain))
  const { text } = await ask(open(t, port), { ':path': '/', 'x-user-id': 'admin', cookie: ['a=1', 'b=2'] })
  const { via, cookie, host, ...headers } = JSON.parse(text) as Record<string, string>
  assert.equal(via, '2.0 sallyport')
  assert.equal(cookie, 'a=1; b=2')
  assert.equal(host, `127.0.0.1:${port}`)
  assert.equal(headers['x-forwarded-for'], '127.0.0.1')
  assert.equal(headers['x-user-id'], undefined)
})

test('over TLS the protocol is negotiated by ALPN', async (t) => {
  const service = await startService(t, (_, response) => void response.end('hello'))
  const listeners = tlsListeners([writeLeaf(t, authority.issue())])
  const { port } = await startGateway(t, proxyTo(service.url, listeners))
  const session = open(t, port, true)
  assert.equal((await ask(session, { ':path': '/' })).text, 'hello')
  assert.equal(session.alpnProtocol, 'h2')
  for (const [offered, chosen] of [
    [['h2', 'http/1.1'], 'h2'],
    [['http/1.1', 'h2'], 'h2'],
    [['http/1.1'], 'http/1.1'],
    [['http/1.0'], 'http/1.0'],
    [[], false],
  ] as const) {
    const socket = connectTls({
      port,
      host: '127.0.0.1',
      servername: 'localhost',
      ca: authority.cert,
      ALPNProtocols: [...offered],
    })
    cleanUp(t, () => void socket.destroy())
    await once(socket, 'secureConnect')
    assert.equal(socket.alpnProtocol, chosen)
  }
})

test('a listener with http2: false speaks HTTP/1.1 only', async (t) => {
  const service = await startService(t, (_, response) => void response.end('hello'))
  const { certificates } = tlsListeners([writeLeaf(t, authority.issue())]).listeners[0]!.tls
  const listeners = [
    { address: '127.0.0.1:0', http2: false },
    { address: '127.0.0.1:0', http2: false, tls: { certificates } },
  ]
  const { gateway } = await startGateway(t, proxyTo(service.url, { listeners }))
  const [first, second] = gateway.addresses
  const session = open(t, first!.port)
  const stream = session.request({ ':path': '/' })
  await assert.rejects(once(stream, 'response'))
  const socket = connectTls({
    port: second!.port,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: authority.cert,
    ALPNProtocols: ['h2', 'http/1.1'],
  })
  cleanUp(t, () => void socket.destroy())
  await once(socket, 'secureConnect')
  assert.equal(socket.alpnProtocol, 'http/1.1')
})

test('a name with a certificate of its own is 421 on a connection with another certificate', async (t) => {
  const service = await startService(t, (_, response) => void response.end('hello'))
  const listeners = tlsListeners([
    writeLeaf(t, authority.issue({ names: ['localhost'] })),
    writeLeaf(t, authority.issue({ names: ['other.test'] })),
  ])
  const { port } = await startGateway(t, proxyTo(service.url, listeners))
  const session = open(t, port, true)
  assert.equal((await ask(session, { ':path': '/', ':authority': 'localhost' })).status, 200)
  assert.equal((await ask(session, { ':path': '/', ':authority': 'other.test' })).status, 421)
  assert.equal((await ask(session, { ':path': '/', ':authority': 'localhost' })).status, 200)
})

test('a gateway that stops lets requests finish and takes no new ones', async (t) => {
  const { promise: asked, resolve } = Promise.withResolvers<() => void>()
  const service = await startService(t, (_, response) => resolve(() => void response.end('late')))
  const { port, gateway } = await startGateway(t, proxyTo(service.url, { ...plain, drainTimeout: '20s' }))
  const session = open(t, port)
  const goaway = once(session, 'goaway')
  const reply = ask(session, { ':path': '/' })
  const answer = await asked
  const closed = gateway.close()
  await goaway
  answer()
  assert.equal((await reply).text, 'late')
  await closed
})
