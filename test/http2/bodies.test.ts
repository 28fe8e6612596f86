import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import type { RequestListener, ServerResponse } from 'node:http'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import type { GatewayInput } from '../../src/gateway.ts'
import { Bytes, isStream } from '../../src/http/body.ts'
import { Headers } from '../../src/http/headers.ts'
import { Reply } from '../../src/http/reply.ts'
import { cleanUp } from '../support/cleanup.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { proxyTo, startGateway, type TestGatewayOptions } from '../support/gateway.ts'
import * as h2 from '../support/http2-frames.ts'
import { Http2Harness } from '../support/http2-harness.ts'
import { connectHttp2 } from '../support/http2-peer.ts'
import { digest, bytes } from '../support/bytes.ts'
import { startRawService } from '../support/peer.ts'
import { startService } from '../support/service.ts'
import { poolOf, settled, turnUntil } from '../support/settled.ts'
import { authority, tlsListeners, writeLeaf } from '../support/tls.ts'

const { Code, data, get, headers, post, request } = h2

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly trailers: IncomingHttpHeaders | null
  readonly interim: readonly number[]
}

/** Sends a request with node:http2. Rejects if the stream is reset. */
function ask(
  client: ClientHttp2Session,
  fields: OutgoingHttpHeaders,
  body?: Buffer,
  trailers?: OutgoingHttpHeaders,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = client.request(fields, { endStream: body === undefined, waitForTrailers: trailers !== undefined })
    const chunks: Buffer[] = []
    const interim: number[] = []
    let head: IncomingHttpHeaders = {}
    let last: IncomingHttpHeaders | null = null
    stream.on('wantTrailers', () => stream.sendTrailers(trailers ?? {}))
    stream.on('headers', (each) => void interim.push(Number(each[':status'])))
    stream.on('response', (each) => (head = each))
    stream.on('trailers', (each) => (last = each))
    stream.on('data', (chunk: Buffer) => void chunks.push(chunk))
    stream.on('error', reject)
    stream.on('end', () =>
      resolve({ status: Number(head[':status']), headers: head, body: Buffer.concat(chunks), trailers: last, interim }),
    )
    if (body !== undefined) stream.end(body)
  })
}

async function session(t: TestContext, port: number, secure = false): Promise<ClientHttp2Session> {
  const client = secure
    ? connect(`https://localhost:${port}`, {
        ca: authority.cert,
        lookup: (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
      })
    : connect(`http://127.0.0.1:${port}`)
  client.on('error', () => {})
  cleanUp(t, () => client.destroy())
  await once(client, 'connect')
  return client
}

/** Echoes in the form that the path asks for. */
const echo: RequestListener = (incoming, response) => {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://a')
  const length = Number(searchParams.get('length') ?? 0)
  if (pathname === '/digest') tellDigest(incoming, response)
  else incoming.resume()
  switch (pathname) {
    case '/digest':
      break
    case '/known':
      response.writeHead(200, { 'Content-Length': length }).end(bytes(length))
      break
    case '/chunked':
      response.writeHead(200).write('')
      response.end(bytes(length))
      break
    case '/trailers':
      response.writeHead(200, { Trailer: 'X-Checksum' }).write('content')
      response.addTrailers({ 'X-Checksum': 'abc' })
      response.end()
      break
    case '/status':
      response.writeHead(Number(searchParams.get('is'))).end()
      break
    default:
      response.end('hello')
  }
}

const tellDigest: RequestListener = (incoming, response) => {
  const chunks: Buffer[] = []
  incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
  incoming.on('end', () => {
    const body = Buffer.concat(chunks)
    response.end(JSON.stringify({ length: body.length, digest: digest(body), trailers: incoming.trailers }))
  })
}

async function setUp(
  t: TestContext,
  listener: RequestListener = echo,
  config: GatewayInput = {},
  options: TestGatewayOptions = {},
) {
  const service = await startService(t, listener)
  return { service, ...(await startGateway(t, proxyTo(service.url, config), options)) }
}

/** Around the limits of frames, windows and buffers. */
const SIZES = [
  0, 1, 100, 15_000, 15_001, 16_383, 16_384, 16_385, 32_768, 65_534, 65_535, 65_536, 131_071, 1_048_577, 5_000_000,
]

for (const secure of [false, true])
  test(`bodies of every size arrive unchanged, ${secure ? 'with TLS' : 'without'}`, async (t) => {
    const { port } = await setUp(t, echo, secure ? tlsListeners([writeLeaf(t, authority.issue())]) : {})
    const client = await session(t, port, secure)
    for (const length of SIZES) {
      const body = bytes(length)
      for (const announced of [false, true]) {
        const fields = { ':method': 'POST', ':path': '/digest', ...(announced && { 'content-length': length }) }
        const { status, body: text } = await ask(client, fields, body)
        assert.equal(status, 200)
        assert.deepEqual(
          JSON.parse(text.toString()),
          { length, digest: digest(body), trailers: {} },
          `${length} bytes up`,
        )
      }
      for (const path of ['/known', '/chunked']) {
        const answer = await ask(client, { ':path': `${path}?length=${length}` })
        assert.equal(answer.body.length, length, `${length} bytes down by ${path}`)
        assert.equal(digest(answer.body), digest(body))
      }
    }
  })

test('many concurrent streams carry bodies in both directions without mixing them', async (t) => {
  const { port, gateway } = await setUp(t)
  const client = await session(t, port)
  const answers = await Promise.all(
    Array.from({ length: 300 }, async (_, n) => {
      const body = bytes(1000 + n * 300)
      if (n % 2 === 0)
        return ask(client, { ':path': `/known?length=${n * 100}` }).then((answer) => [answer.body.length, n * 100])
      const answer = await ask(client, { ':method': 'POST', ':path': '/digest' }, body)
      return [(JSON.parse(answer.body.toString()) as { digest: string }).digest, digest(body)]
    }),
  )
  for (const [seen, expected] of answers) assert.equal(seen, expected)
  client.close()
  await settled(gateway)
})

test('a reply is sent in one-byte windows', async (t) => {
  const { port } = await setUp(t)
  const peer = await connectHttp2(t, port, { settings: { 4: 1 } })
  peer.onFrame = ({ type, stream, payload }) => {
    if (type === h2.Type.data && payload.length > 0) peer.write(h2.windowUpdate(stream, payload.length))
  }
  peer.write(get(1, '/known?length=300'), get(3, '/chunked?length=300'))
  for (const id of [1, 3]) assert.deepEqual((await peer.over(id)).body, bytes(300))
})

test('trailers are forwarded in both directions', async (t) => {
  const { port } = await setUp(t)
  const client = await session(t, port)
  const up = await ask(client, { ':method': 'POST', ':path': '/digest' }, Buffer.from('abc'), { 'x-checksum': '123' })
  assert.deepEqual((JSON.parse(up.body.toString()) as { trailers: object }).trailers, { 'x-checksum': '123' })
  const down = await ask(client, { ':path': '/trailers', te: 'trailers' })
  assert.equal(down.body.toString(), 'content')
  assert.equal(down.trailers?.['x-checksum'], 'abc')
})

test('HEAD, 204 and 304 have no content, and only HEAD has a length', async (t) => {
  const { port } = await setUp(t)
  const peer = await connectHttp2(t, port)
  peer.write(
    headers(1, request('HEAD', '/known?length=1234'), true),
    get(3, '/status?is=204'),
    get(5, '/status?is=304'),
    get(7, '/known?length=3'),
  )
  const [head, none, same] = [await peer.over(1), await peer.over(3), await peer.over(5)]
  assert.deepEqual([head.status, head.bytes, new Map(head.headers).get('content-length')], [200, 0, '1234'])
  assert.deepEqual([none.status, none.bytes, new Map(none.headers).get('content-length')], [204, 0, undefined])
  assert.deepEqual([same.status, same.bytes], [304, 0])
  // One frame for each: only the head.
  assert.deepEqual(
    [1, 3, 5].map((id) => peer.frames.filter(({ stream }) => stream === id).length),
    [1, 1, 1],
  )
  assert.equal((await peer.over(7)).bytes, 3)
})

test('a body that is too large gets 413 while it is being sent, and the connection stays open', async (t) => {
  const { port, service, gateway } = await setUp(t, echo, { limits: { body: '100kb' } })
  const peer = await connectHttp2(t, port)
  // Announced, and not.
  peer.write(post(1, '/digest', [['content-length', '200000']]), data(1, Buffer.alloc(10_000)))
  assert.equal((await peer.over(1)).status, 413)
  peer.write(post(3, '/digest'))
  for (let n = 0; n < 7; n++) peer.write(data(3, Buffer.alloc(9_000)))
  await peer.settled()
  for (let n = 0; n < 7; n++) peer.write(data(3, Buffer.alloc(9_000)))
  assert.equal((await peer.over(3)).status, 413)
  await peer.until('the end of both', () => peer.stream(1).reset !== null && peer.stream(3).reset !== null)
  assert.deepEqual([peer.stream(1).reset, peer.stream(3).reset], [Code.none, Code.none])
  peer.write(get(5, '/known?length=7'))
  assert.equal((await peer.over(5)).bytes, 7)
  assert.deepEqual(peer.goaways, [])
  assert.ok(service.received.every(({ url }) => url !== '/digest' || url.length > 0))
  peer.socket.destroy()
  await settled(gateway)
})

test('100 Continue is sent only if the body is wanted', async (t) => {
  const { port } = await setUp(t, echo, { limits: { body: '1kb' } })
  const peer = await connectHttp2(t, port)
  peer.write(
    post(1, '/digest', [
      ['expect', '100-continue'],
      ['content-length', '3'],
    ]),
  )
  await peer.until('100', () => peer.stream(1).interim.length > 0)
  peer.write(data(1, 'abc', true))
  assert.equal((await peer.over(1)).status, 200)
  assert.deepEqual(peer.stream(1).interim, [100])
  peer.write(
    post(3, '/digest', [
      ['expect', '100-continue'],
      ['content-length', '3000'],
    ]),
  )
  assert.equal((await peer.over(3)).status, 413)
  assert.deepEqual(peer.stream(3).interim, [])
  peer.write(headers(5, request('GET', '/known?length=1', [['expect', 'magic']]), true))
  assert.equal((await peer.over(5)).status, 417)
})

test('a cancellation by the client reaches the service at once, before and during the reply', async (t) => {
  const closed: string[] = []
  const { port, gateway, service } = await setUp(t, (incoming, response) => {
    incoming.resume()
    response.on('close', () => closed.push(incoming.url ?? ''))
    if (incoming.url === '/within') response.write('x'.repeat(100_000))
  })
  const peer = await connectHttp2(t, port)
  peer.write(get(1, '/before'), get(3, '/within'))
  await turnUntil('both requests to reach the service', () => service.received.length === 2)
  await peer.until('content', () => peer.stream(3).bytes > 0)
  peer.write(h2.reset(1), h2.reset(3))
  await turnUntil('both to be closed', () => closed.length === 2)
  await peer.settled()
  assert.deepEqual(peer.goaways, [])
  peer.socket.destroy()
  await settled(gateway)
})

for (const [how, leave] of Object.entries({
  'is reset': (peer: { write: (...frames: Buffer[]) => void }) => peer.write(h2.reset(1)),
  'breaks the rules': (peer: { write: (...frames: Buffer[]) => void }) =>
    peer.write(headers(1, [[':path', '/']], true)),
  'ends with its connection': (peer: { socket: { destroy(): void } }) => peer.socket.destroy(),
  'ends with the half of its connection': (peer: { socket: { end(): void } }) => peer.socket.end(),
}))
  for (const announced of [false, true])
    test(`an upload that ${how} never looks complete, its length ${announced ? 'announced' : 'not announced'}`, async (t) => {
      const backend = await startRawService(t)
      const { port, gateway } = await startGateway(t, proxyTo(backend.url))
      const peer = await connectHttp2(t, port)
      peer.write(post(1, '/', announced ? [['content-length', '200000']] : []))
      // More than is buffered before it is forwarded.
      for (let n = 0; n < 4; n++) peer.write(data(1, Buffer.alloc(16_000, 'x')))
      await peer.settled()
      for (let n = 0; n < 4; n++) peer.write(data(1, Buffer.alloc(16_000, 'x')))
      const service = await backend.accept()
      await service.until('\r\n\r\n')
      leave(peer)
      const rest = (await service.rest()).toString('latin1')
      assert.ok(!rest.includes('\r\n0\r\n'), 'the last chunk')
      assert.ok(rest.length < 200_000)
      peer.socket.destroy()
      await settled(gateway)
    })

for (const [what, when] of [
  ['waits for a window', 'before'],
  ['comes to the end of its window', 'after'],
] as const)
  test(`a reply that ${what} is given up once its client has ended the connection`, async (t) => {
    const responses: ServerResponse[] = []
    const listener: RequestListener = (_, response) => {
      response.write(Buffer.alloc(when === 'before' ? 100_000 : 1000))
      responses.push(response)
    }
    // No timeout can be what ends it.
    const { port, gateway } = await setUp(t, listener, {}, { clock: new ManualClock() })
    const peer = await connectHttp2(t, port)
    peer.write(get(1))
    await peer.until('content', () => peer.stream(1).bytes === (when === 'before' ? 65_535 : 1000))
    peer.socket.end()
    if (when === 'after') {
      await peer.until('GOAWAY', () => peer.goaways.length === 1)
      responses[0]!.write(Buffer.alloc(100_000))
    }
    await peer.closed()
    assert.equal(peer.stream(1).ended, false)
    await settled(gateway)
  })

test('a reply that fits into the window is completed although its client has ended the connection', async (t) => {
  const responses: ServerResponse[] = []
  const { port, gateway } = await setUp(t, (_, response) => {
    response.write(Buffer.alloc(1000))
    responses.push(response)
  })
  const peer = await connectHttp2(t, port)
  peer.write(get(1))
  await peer.until('content', () => peer.stream(1).bytes === 1000)
  peer.socket.end()
  await peer.until('GOAWAY', () => peer.goaways.length === 1)
  responses[0]!.end(Buffer.alloc(50_000))
  await peer.closed()
  assert.deepEqual([peer.stream(1).ended, peer.stream(1).bytes], [true, 51_000])
  await settled(gateway)
})

for (const secure of [false, true])
  for (const begun of [false, true])
    test(`a request is given up once its client has left, while its reply ${begun ? 'pauses' : 'is awaited'}, ${secure ? 'with TLS' : 'without'}`, async (t) => {
      const clock = new ManualClock(Date.now())
      let isOver = false
      const listener: RequestListener = (_, response) => {
        response.on('close', () => (isOver = true))
        if (begun) response.write('data: 1\n\n')
      }
      const config = secure ? tlsListeners([writeLeaf(t, authority.issue())]) : {}
      const { port, gateway, service } = await setUp(t, listener, config, { clock })
      const peer = await connectHttp2(t, port, { secure })
      peer.write(get(1))
      await turnUntil('the request to reach the service', () => service.received.length === 1)
      if (begun) await peer.until('content', () => peer.stream(1).bytes > 0)
      peer.socket.destroy()
      let waited = 0
      await turnUntil('the service to notice', () => {
        // Less than any timeout.
        if (waited++ < 20) clock.advance(100)
        return isOver
      })
      await settled(gateway)
    })

test('aborted uploads to a service that does not read free their window for others', async (t) => {
  const backend = await startRawService(t, (peer) => {
    peer.socket.pause()
    return Promise.resolve()
  })
  const { port } = await startGateway(t, proxyTo(backend.url))
  const peer = await connectHttp2(t, port)
  await peer.settled()
  let sent = 0
  // Four times the window of the connection, which would stall if it were not replenished.
  for (let n = 0; n < 280; n++) {
    const id = 2 * n + 1
    peer.write(post(id, '/'), ...Array.from({ length: 4 }, () => data(id, Buffer.alloc(16_000))))
    sent += 64_000
    await peer.settled()
    peer.write(h2.reset(id))
    const granted = 65_535 + peer.connectionUpdates.reduce((sum, more) => sum + more, 0)
    assert.ok(sent + 64_000 <= granted, `${sent} bytes were sent, ${granted} are allowed`)
  }
})

test('on drain the client gets GOAWAY with the last stream, and exchanges in progress finish', async (t) => {
  const responses: { end: (text: string) => void }[] = []
  const { port, gateway, service } = await setUp(t, (_, response) => void responses.push(response), {
    drainTimeout: '30s',
  })
  const peer = await connectHttp2(t, port)
  peer.write(get(1), get(3))
  await turnUntil('both requests to reach the service', () => service.received.length === 2)
  const closing = gateway.close()
  await peer.until('GOAWAY', () => peer.goaways.some(({ last }) => last === 3))
  assert.ok(peer.goaways.every(({ code }) => code === Code.none))
  // Too late: nobody handles it, which is not an error.
  peer.write(get(5))
  for (const response of responses) response.end('whole')
  for (const id of [1, 3]) assert.equal((await peer.over(id)).body.toString(), 'whole')
  assert.equal(await peer.closed(), 'end')
  assert.equal(peer.streams.has(5), false)
  peer.socket.end()
  await closing
})

test('a reload leaves streams in progress alone, and later ones use the new configuration', async (t) => {
  const responses: { end: (text: string) => void }[] = []
  const old = await startService(t, (_, response) => void responses.push(response))
  const next = await startService(t, (_, response) => void response.end('new'))
  const { port, gateway } = await startGateway(t, proxyTo(old.url))
  const peer = await connectHttp2(t, port)
  peer.write(get(1))
  await turnUntil('the request to reach the service', () => old.received.length === 1)
  const listeners = [{ address: '127.0.0.1:0' }]
  await gateway.reload({ ...proxyTo(next.url), listeners, admin: false, endpoints: { docs: false, openapi: false } })
  peer.write(get(3))
  assert.equal((await peer.over(3)).body.toString(), 'new')
  responses[0]!.end('old')
  assert.equal((await peer.over(1)).body.toString(), 'old')
  assert.deepEqual(peer.goaways, [])
})

test('an incomplete reply of the service resets the stream only', async (t) => {
  const { port, gateway } = await setUp(t, (incoming, response) => {
    response.writeHead(200)
    if (incoming.url === '/breaks') response.write('x'.repeat(50_000), () => response.socket?.resetAndDestroy())
    else response.end('hello')
  })
  const peer = await connectHttp2(t, port)
  peer.write(get(1, '/breaks'))
  assert.equal((await peer.over(1)).reset, Code.internal)
  peer.write(get(3, '/'))
  assert.equal((await peer.over(3)).body.toString(), 'hello')
  assert.equal(poolOf(gateway).busy, 0)
})

test('curl works with prior knowledge, for uploads and downloads', async (t) => {
  const { port } = await setUp(t)
  const run = (...args: string[]) =>
    promisify(execFile)('curl', ['-sS', '--max-time', '20', '--http2-prior-knowledge', ...args], {
      maxBuffer: 4_000_000,
    })
  const down = await run(
    '-w',
    '\n%{http_version} %{http_code} %{size_download}',
    '-o',
    '/dev/null',
    `http://127.0.0.1:${port}/known?length=1000000`,
  )
  assert.equal(down.stdout, '\n2 200 1000000')
  const up = await run('--data-binary', 'x'.repeat(100_000), `http://127.0.0.1:${port}/digest`)
  assert.equal((JSON.parse(up.stdout) as { length: number }).length, 100_000)
})

for (const size of [0, 100, 4096, 65_536])
  test(`a node:http2 client with a header table of ${size} bytes is served`, async (t) => {
    const { port } = await setUp(t)
    const client = connect(`http://127.0.0.1:${port}`, { settings: { headerTableSize: size } })
    client.on('error', () => {})
    cleanUp(t, () => client.destroy())
    for (let n = 0; n < 3; n++) assert.equal((await ask(client, { ':path': '/known?length=3' })).body.length, 3)
    // And one that changes its mind.
    client.settings({ headerTableSize: 50 })
    for (let n = 0; n < 3; n++) assert.equal((await ask(client, { ':path': '/known?length=3' })).body.length, 3)
  })

test('requests whose bodies arrive in the same read have complete bodies', async () => {
  const bodies = new Set<unknown>()
  const harness = new Http2Harness(({ body }) => {
    bodies.add(body instanceof Bytes ? body.toLatin1() : body)
    return new Reply(200, Headers.of(), null)
  })
  const client = await harness.begin()
  const ids = [1, 3, 5, 7]
  const contents = ids.map((id) => data(id, `of ${id}`, true)).toReversed()
  client.receive(Buffer.concat([...ids.map((id) => post(id)), h2.windowUpdate(0, 5000), ...contents]))
  await client.turn()
  assert.deepEqual(bodies, new Set(ids.map((id) => `of ${id}`)))
})

test('a request whose body has not arrived in the same read starts without it', async () => {
  const bodies: unknown[] = []
  const harness = new Http2Harness(({ body }) => {
    bodies.push(body instanceof Bytes ? body.toLatin1() : isStream(body))
    return new Promise<Reply>(() => {})
  })
  const client = await harness.begin()
  client.receive(Buffer.concat([post(1), post(3), post(5), data(3, 'whole', true), data(5, 'a part')]))
  assert.deepEqual(bodies, ['whole', true, true])
})
