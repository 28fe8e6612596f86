import assert from 'node:assert/strict'
import test from 'node:test'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect } from './support/peer.ts'
import { refusal } from './support/problem.ts'
import { startService } from './support/service.ts'

const HOST = 'Host: a\r\n'

/** Requests that only a broken or hostile client sends -> the status of the reply. */
const BAD: Record<string, [request: string, status: number]> = {
  'is not HTTP': ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n', 400],
  'has no version': ['GET /\r\n\r\n', 400],
  'has a fragment': [`GET /a#b HTTP/1.1\r\n${HOST}\r\n`, 400],
  'has a space in its target': [`GET /a b HTTP/1.1\r\n${HOST}\r\n`, 400],
  'has two spaces': [`GET  / HTTP/1.1\r\n${HOST}\r\n`, 400],
  'has no Host': ['GET / HTTP/1.1\r\n\r\n', 400],
  'has two Hosts': [`GET / HTTP/1.1\r\n${HOST}Host: b\r\n\r\n`, 400],
  'has an invalid Host': ['GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 400],
  'has a Host with credentials': ['GET / HTTP/1.1\r\nHost: x@a\r\n\r\n', 400],
  'names two different hosts': [`GET http://b/ HTTP/1.1\r\n${HOST}\r\n`, 400],
  'has a bare LF': [`GET / HTTP/1.1\n${HOST}\r\n`, 400],
  'has a bare LF between fields': ['GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n', 400],
  'has a bare CR in a value': [`GET / HTTP/1.1\r\n${HOST}X: 1\r2\r\n\r\n`, 400],
  'has a NUL in a value': [`GET / HTTP/1.1\r\n${HOST}X: 1\x002\r\n\r\n`, 400],
  'has a folded header': [`GET / HTTP/1.1\r\n${HOST}X: 1\r\n 2\r\n\r\n`, 400],
  'has a space before a colon': [`GET / HTTP/1.1\r\n${HOST}X : 1\r\n\r\n`, 400],
  'has a header without a name': [`GET / HTTP/1.1\r\n${HOST}: 1\r\n\r\n`, 400],
  'has both a length and chunks': [
    `POST / HTTP/1.1\r\n${HOST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  'has two lengths': [`POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab`, 400],
  'has the same length twice': [`POST / HTTP/1.1\r\n${HOST}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`, 400],
  'has a signed length': [`POST / HTTP/1.1\r\n${HOST}Content-Length: +1\r\n\r\na`, 400],
  'has a negative length': [`POST / HTTP/1.1\r\n${HOST}Content-Length: -1\r\n\r\na`, 400],
  'has a disguised coding': [`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
  'is chunked twice': [`POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n`, 400],
  'is chunked over HTTP/1.0': [`POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 400],
  'has an invalid chunk size': [
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n`,
    400,
  ],
  'has a chunk that is too long': [
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`,
    400,
  ],
  'has a compressed transfer coding': [
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    501,
  ],
  'requests a tunnel': ['CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n', 501],
  'is HTTP/2 in the form of HTTP/1.1': [`GET / HTTP/2.0\r\n${HOST}\r\n`, 505],
  'is HTTP/3.0': [`GET / HTTP/3.0\r\n${HOST}\r\n`, 505],
}

for (const [name, [request, status]] of Object.entries(BAD))
  test(`a request that ${name} is ${status} and never reaches a service`, async (t) => {
    const service = await startService(t)
    const config = proxyTo(service.url, { policies: { 'correlation-id': {} } })
    const { port, log } = await startGateway(t, config)
    const client = await connect(t, port)
    // The bytes after it are not a request.
    client.write(`${request}GET /smuggled HTTP/1.1\r\n${HOST}\r\n`)
    const problem = await refusal(client, status)
    assert.ok((problem.detail ?? '').length > 10)
    assert.equal(service.connections, 0)
    const refused = log.lines.find(({ message }) => message === 'Request refused' || message === 'API Gateway Request')
    assert.equal(refused!['correlation_id'], problem.instance)
    assert.equal(refused!['ip_address'], '127.0.0.1')
    assert.equal(
      log.lines.some(({ level }) => level === 'error'),
      false,
    )
  })

test('a bad request is rejected on a connection that was in use before', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write(`GET / HTTP/1.1\r\n${HOST}\r\n`)
  await client.reply()
  client.write(`GET / HTTP/1.1\r\n${HOST}X : 1\r\n\r\n`)
  await refusal(client, 400)
  assert.equal(service.received.length, 1)
})

test('a malformed chunk during forwarding ends both connections', async (t) => {
  let broken = false
  const service = await startService(t, (request) => {
    request.on('error', () => (broken = true))
    request.resume()
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  await client.writeInPieces([
    `POST / HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    'nonsense\r\n\r\n',
  ])
  await refusal(client, 400)
  assert.equal(broken || service.received.length === 0, true)
})

test('a client that keeps sending after a rejection can still read the reply', async (t) => {
  const { port } = await startGateway(t, { routes: [] })
  const client = await connect(t, port)
  client.write(`POST / HTTP/1.1\r\n${HOST}Content-Length: 100000000\r\n\r\n`)
  client.write(Buffer.alloc(500_000))
  const problem = await refusal(client, 413)
  assert.equal(problem.title, 'Content too large')
})
