import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import {
  connect,
  type ClientHttp2Session,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  sensitiveHeaders,
} from 'node:http2'
import { buffer } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import { cleanUp } from '../support/cleanup.ts'
import { send } from '../support/client.ts'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { startHttp2Service } from '../support/http2-service.ts'
import { authority } from '../support/tls-service.ts'
import { startService } from '../support/service.ts'

const plain = { listeners: [{ address: '127.0.0.1:0' }] }
const http2 = { http2: true }

function open(t: TestContext, port: number): ClientHttp2Session {
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  cleanUp(t, () => session.destroy())
  return session
}

interface Told {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly interim: readonly number[]
  readonly trailers: IncomingHttpHeaders
  readonly body: Buffer
}

/** One request over HTTP/2, with its body in pieces, and trailers if there are some. */
async function ask(
  session: ClientHttp2Session,
  fields: OutgoingHttpHeaders,
  pieces: readonly Buffer[] = [],
  trailers: OutgoingHttpHeaders | null = null,
): Promise<Told> {
  const hasBody = pieces.length > 0 || trailers !== null
  const stream = session.request(fields, { endStream: !hasBody, waitForTrailers: trailers !== null })
  const interim: number[] = []
  let ended: IncomingHttpHeaders = {}
  stream.on('headers', (headers: IncomingHttpHeaders & { ':status'?: number }) => interim.push(headers[':status'] ?? 0))
  stream.on('trailers', (headers: IncomingHttpHeaders) => {
    ended = headers
  })
  stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}))
  for (const piece of pieces) stream.write(piece)
  if (hasBody) stream.end()
  const content = buffer(stream)
  const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders & { ':status'?: number }]
  const body = await content
  return { status: headers[':status'] ?? 0, headers, interim, trailers: ended, body }
}

test('requests to a service with prior knowledge share one connection, from all clients', async (t) => {
  const service = await startHttp2Service(t, (stream, headers) => {
    stream.respond({ ':status': 201, 'x-path': String(headers[':path']), 'x-method': String(headers[':method']) })
    stream.end(`hello ${headers[':authority']}`)
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: http2 }))
  const replies = await Promise.all(
    [1, 2, 3].map((n) => send(port, { path: `/one/${n}?a=b`, method: n === 1 ? 'DELETE' : 'GET' })),
  )
  assert.deepEqual(
    replies.map(({ status, headers, text }) => [status, headers['x-path'], headers['x-method'], text]),
    [
      [201, '/one/1?a=b', 'DELETE', `hello 127.0.0.1:${port}`],
      [201, '/one/2?a=b', 'GET', `hello 127.0.0.1:${port}`],
      [201, '/one/3?a=b', 'GET', `hello 127.0.0.1:${port}`],
    ],
  )
  const session = open(t, port)
  const more = await Promise.all([1, 2, 3, 4, 5].map((n) => ask(session, { ':path': `/two/${n}` })))
  assert.deepEqual(
    more.map(({ status, headers }) => [status, headers['x-path']]),
    [1, 2, 3, 4, 5].map((n) => [201, `/two/${n}`]),
  )
  assert.equal(service.sessions.length, 1)
})

test('https instances are called over HTTP/2 negotiated by ALPN', async (t) => {
  const service = await startHttp2Service(
    t,
    (stream, headers) => {
      stream.respond({ ':status': 200, 'x-scheme': String(headers[':scheme']) })
      stream.end('hello')
    },
    { secure: true },
  )
  const options = { ...plain, service: { ...http2, tls: { ca: authority.cert }, health: { path: '/health' } } }
  const { port } = await startGateway(t, proxyTo(service.url, options))
  const { status, headers, text } = await send(port)
  assert.deepEqual([status, headers['x-scheme'], text], [200, 'https', 'hello'])
  assert.equal(service.sessions.at(-1)?.alpnProtocol, 'h2')
})

test('a service gets the same request, whatever protocols it and the client use', async (t) => {
  const report = (headers: IncomingHttpHeaders): Record<string, unknown> => {
    const { ':method': method, ':path': path, ':authority': authorityOf, ':scheme': _, host, ...rest } = headers
    return { method, path, host: host ?? authorityOf, ...rest }
  }
  const newer = await startHttp2Service(t, (stream, headers) => {
    stream.respond({ ':status': 200, 'content-type': 'application/json' })
    stream.end(JSON.stringify(report(headers)))
  })
  const older = await startService(t, (asked, response) => {
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(report({ ':method': asked.method, ':path': asked.url, ...asked.headers })))
  })
  const received: unknown[] = []
  for (const [url, service] of [
    [newer.url, http2],
    [older.url, {}],
  ] as const) {
    const config = proxyTo(url, { ...plain, service: { ...service, host: 'service.example' } })
    const { port } = await startGateway(t, config)
    const fields = { 'x-a': 'b', cookie: 'c=d', 'x-user-id': 'admin', te: 'trailers', accept: '*/*' }
    const one = await send(port, { path: '/p?q', headers: { ...fields, connection: 'te, keep-alive' } })
    const { body } = await ask(open(t, port), { ':path': '/p?q', ...fields })
    for (const text of [one.text, body.toString()]) {
      const {
        connection: _,
        via,
        traceparent: __,
        'x-forwarded-host': ___,
        ...rest
      } = JSON.parse(text) as Record<string, unknown>
      received.push(rest)
      assert.match(String(via), /^(?:1\.1|2\.0) sallyport$/)
    }
  }
  for (const each of received) assert.deepEqual(each, received[0])
  assert.deepEqual(received[0], {
    method: 'GET',
    path: '/p?q',
    host: 'service.example',
    'x-a': 'b',
    cookie: 'c=d',
    te: 'trailers',
    accept: '*/*',
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-proto': 'http',
  })
})

test('bodies of any size are forwarded in both directions, from clients of both protocols', async (t) => {
  const service = await startHttp2Service(t, (stream, headers) => {
    const length = headers['content-length']
    stream.respond({ ':status': 200, ...(length !== undefined && { 'content-length': length }) })
    stream.pipe(stream)
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: http2 }))
  const session = open(t, port)
  for (const size of [0, 1, 1000, 16_384, 16_385, 65_535, 65_536, 200_000, 5_000_000]) {
    const body = Buffer.alloc(size, 'abcdefghij')
    const one = await send(port, { path: '/', method: 'POST', body })
    assert.ok(one.body.equals(body), `HTTP/1.1, ${size}`)
    assert.equal(one.headers['content-length'], String(size))
    const chunked = await send(port, { path: '/', method: 'POST', body, headers: { 'transfer-encoding': 'chunked' } })
    assert.ok(chunked.body.equals(body), `HTTP/1.1, chunked, ${size}`)
    const two = await ask(session, { ':path': '/', ':method': 'POST', 'content-length': size }, [body])
    assert.ok(two.body.equals(body), `HTTP/2, ${size}`)
    const streamed = await ask(session, { ':path': '/', ':method': 'POST' }, [body])
    assert.ok(streamed.body.equals(body), `HTTP/2 without a length, ${size}`)
  }
  assert.equal(service.sessions.length, 1)
})

test('trailers are forwarded in both directions', async (t) => {
  const service = await startHttp2Service(t, (stream) => {
    let received: IncomingHttpHeaders = {}
    stream.on('trailers', (headers: IncomingHttpHeaders) => {
      received = headers
    })
    stream.on('end', () => {
      stream.respond({ ':status': 200 }, { waitForTrailers: true })
      stream.on('wantTrailers', () =>
        stream.sendTrailers({ 'x-sum': String(received['x-of-request']), 'grpc-status': '0' }),
      )
      stream.end('content')
    })
    stream.resume()
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: http2 }))
  const fields = { ':path': '/', ':method': 'POST', te: 'trailers' }
  const { trailers, body } = await ask(open(t, port), fields, [Buffer.from('body')], { 'x-of-request': '42' })
  assert.equal(body.toString(), 'content')
  assert.equal(trailers['x-sum'], '42')
  assert.equal(trailers['grpc-status'], '0')
  // An HTTP/1.1 client that accepts them gets them chunked.
  const answer = await new Promise<{ body: string; trailers: NodeJS.Dict<string> }>((resolve, reject) => {
    const pending = request({ port, host: '127.0.0.1', headers: { te: 'trailers', connection: 'te' } }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.on('end', () => resolve({ body: text, trailers: response.trailers }))
    })
    pending.on('error', reject)
    pending.end()
  })
  assert.deepEqual([answer.body, answer.trailers['grpc-status']], ['content', '0'])
})

test('a trailers-only reply, as in gRPC, is forwarded', async (t) => {
  const service = await startHttp2Service(t, (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true })
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: http2 }))
  const call = { ':path': '/a.B/C', ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' }
  const { status, headers, body } = await ask(open(t, port), call, [Buffer.alloc(5)])
  assert.deepEqual([status, headers['grpc-status'], body.length], [200, '5', 0])
  // It would be metadata of the call.
  assert.equal(headers['content-length'], undefined)
})

test('HEAD, 204 and 304 have no content, and HEAD and 304 keep Content-Length', async (t) => {
  const service = await startHttp2Service(t, (stream, headers) => {
    const path = String(headers[':path'])
    const status = path === '/204' ? 204 : path === '/304' ? 304 : 200
    const length = status === 204 ? {} : { 'content-length': '7' }
    stream.respond({ ':status': status, ...length }, { endStream: status !== 200 })
    if (status === 200) stream.end()
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: http2 }))
  const session = open(t, port)
  for (const [method, path, length] of [
    ['HEAD', '/', '7'],
    ['GET', '/204', undefined],
    ['GET', '/304', '7'],
  ] as const) {
    const one = await send(port, { method, path })
    assert.deepEqual([one.body.length, one.headers['content-length']], [0, length], `${method} ${path}`)
    const two = await ask(session, { ':method': method, ':path': path })
    assert.deepEqual([two.body.length, two.headers['content-length']], [0, length], `${method} ${path}`)
  }
})

test('interim responses are forwarded, and 100 makes the client send its body', async (t) => {
  const service = await startHttp2Service(t, (stream, headers) => {
    stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' })
    if (headers['expect'] !== undefined) stream.additionalHeaders({ ':status': 100 })
    stream.respond({ ':status': 200 })
    stream.pipe(stream)
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: http2 }))
  const session = open(t, port)
  const { interim } = await ask(session, { ':path': '/' })
  assert.deepEqual(interim, [103])
  const stream = session.request({ ':path': '/', ':method': 'POST', expect: '100-continue' }, { endStream: false })
  await once(stream, 'continue')
  stream.end('the body')
  assert.equal((await buffer(stream)).toString(), 'the body')
  const pending = request({ port, host: '127.0.0.1', method: 'POST', headers: { expect: '100-continue' } })
  const answered = once(pending, 'response') as Promise<[IncomingMessage]>
  pending.flushHeaders()
  await once(pending, 'continue')
  pending.end('the same')
  const [response] = await answered
  assert.equal((await buffer(response)).toString(), 'the same')
})

test('many concurrent requests share one connection, and each gets its own reply', async (t) => {
  const service = await startHttp2Service(t, (stream, headers) => {
    stream.respond({ ':status': 200 })
    stream.end(String(headers[':path']).repeat(500))
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: http2 }))
  const session = open(t, port)
  const paths = Array.from({ length: 100 }, (_, n) => `/number/${n}`)
  const replies = await Promise.all(paths.map((path) => ask(session, { ':path': path })))
  assert.deepEqual(
    replies.map(({ body }) => body.toString()),
    paths.map((path) => path.repeat(500)),
  )
  assert.equal(service.sessions.length, 1)
})

test('fields marked as never indexed stay so in requests, replies and trailers, and no others are', async (t) => {
  const service = await startHttp2Service(t, (stream) => {
    stream.respond(
      { ':status': 200, 'x-of-reply': 'b', 'x-plain': 'c', [sensitiveHeaders]: ['x-of-reply'] },
      { waitForTrailers: true },
    )
    stream.on('wantTrailers', () =>
      stream.sendTrailers({ 'x-of-trailers': 'd', [sensitiveHeaders]: ['x-of-trailers'] }),
    )
    stream.end('body')
  })
  const { port } = await startGateway(t, proxyTo(service.url, { ...plain, service: http2 }))
  const session = open(t, port)
  const fields = {
    ':path': '/secret',
    'x-of-request': 'a',
    'x-plain': 'c',
    te: 'trailers',
    authorization: 'Bearer token',
  }
  const { headers, trailers } = await ask(session, { ...fields, [sensitiveHeaders]: ['x-of-request', ':path'] })
  const [received] = service.received
  const marked = (fieldsOf: object): unknown => Reflect.get(fieldsOf, sensitiveHeaders)
  assert.ok(received !== undefined)
  assert.deepEqual(new Set([marked(received)].flat()), new Set([':path', 'authorization', 'x-of-request']))
  assert.deepEqual([received[':path'], received['x-of-request']], ['/secret', 'a'])
  assert.deepEqual([marked(headers), headers['x-of-reply']], [['x-of-reply'], 'b'])
  assert.deepEqual([marked(trailers), trailers['x-of-trailers']], [['x-of-trailers'], 'd'])
})
