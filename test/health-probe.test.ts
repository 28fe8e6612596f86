import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import test, { type TestContext } from 'node:test'
import { HealthBoard } from '../src/services/health/board.ts'
import { HealthChecker } from '../src/services/health/checker.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { turnUntil } from './support/settled.ts'
import { httpProbe, type ProbeOutcome, type ProbeTarget } from '../src/services/health/probe.ts'

/** Listens on a free port until the end of the test, and returns it. */
async function listen(t: TestContext, server: Server): Promise<ProbeTarget> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
  })
  t.after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const target = { host: '127.0.0.1', port, authority: `127.0.0.1:${port}` }
  return {
    ...target,
    method: 'GET',
    path: '/health?deep=1',
    headers: {},
    body: '',
    encryption: null,
    http2: false,
    proxyProtocol: 'off',
  }
}

function answering(t: TestContext, listener: RequestListener): Promise<ProbeTarget> {
  return listen(t, createServer(listener))
}

/** A server that writes the same bytes to everyone who sends something. */
function saying(t: TestContext, text: string, then: 'end' | 'wait'): Promise<ProbeTarget> {
  return listen(
    t,
    createTcpServer((socket) => {
      socket.once('data', () => (then === 'end' ? socket.end(text) : socket.write(text)))
    }),
  )
}

const quiet = (): void => undefined

function ask(target: ProbeTarget): Promise<ProbeOutcome> {
  return new Promise((resolve) => httpProbe(target, resolve))
}

for (const status of [200, 204, 302, 500, 503])
  test(`status ${status} is reported`, async (t) => {
    const target = await answering(t, (_, response) => response.writeHead(status).end())
    assert.equal(await ask(target), status)
  })

test('the request is a GET with the instance as Host, on its own connection', async (t) => {
  const seen: unknown[] = []
  const target = await answering(t, ({ method, url, headers, httpVersion }, response) => {
    seen.push({ method, url, headers, httpVersion })
    response.end('ok')
  })
  await ask(target)
  assert.deepEqual(seen, [
    {
      method: 'GET',
      url: '/health?deep=1',
      httpVersion: '1.1',
      headers: { host: target.authority, 'user-agent': 'sallyport-health', accept: '*/*', connection: 'close' },
    },
  ])
})

test('a check has the configured method, headers and body', async (t) => {
  const seen: unknown[] = []
  const target = await answering(t, (request, response) => {
    const { method, headers } = request
    void readText(request).then((body) => {
      seen.push({ method, headers, body })
      response.end()
    })
  })
  const headers = { 'Content-Type': 'application/json', authorization: 'Bearer t', 'user-agent': 'probe' }
  const requested = { ...target, authority: 'users.internal', method: 'POST', headers, body: '{"query":"{é}"}' }
  assert.equal(await ask(requested), 200)
  assert.equal(await ask({ ...target, method: 'HEAD', headers: { host: 'other' } }), 200)
  const always = { accept: '*/*', connection: 'close' }
  assert.deepEqual(seen, [
    {
      method: 'POST',
      headers: {
        ...always,
        host: 'users.internal',
        'user-agent': 'probe',
        'content-type': 'application/json',
        authorization: 'Bearer t',
        'content-length': '16',
      },
      body: '{"query":"{é}"}',
    },
    { method: 'HEAD', headers: { ...always, host: 'other', 'user-agent': 'sallyport-health' }, body: '' },
  ])
})

test('a refused connection is reported with its address', async (t) => {
  const server = createTcpServer()
  const target = await listen(t, server)
  server.close()
  await once(server, 'close')
  const outcome = await ask(target)
  assert.ok(outcome instanceof Error)
  assert.equal(outcome.message, `connect ECONNREFUSED ${target.authority}`)
})

test('a connection that closes without a response is an error', async (t) => {
  assert.ok((await ask(await saying(t, '', 'end'))) instanceof Error)
})

test('a response that is not HTTP is an error', async (t) => {
  assert.ok((await ask(await saying(t, 'SSH-2.0-OpenSSH_9.2\r\n', 'end'))) instanceof Error)
})

test('a response that switches protocols is an error', async (t) => {
  const target = await saying(
    t,
    'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n',
    'wait',
  )
  assert.ok((await ask(target)) instanceof Error)
})

test('a response head may be as large as that of a reply', async (t) => {
  const target = await answering(t, (_, response) => response.writeHead(200, { 'X-Long': 'x'.repeat(60_000) }).end())
  assert.equal(await ask(target), 200)
})

test('interim responses are skipped', async (t) => {
  const target = await answering(t, (_, response) => {
    response.writeProcessing()
    response.end()
  })
  assert.equal(await ask(target), 200)
})

test('an incomplete body is an error', async (t) => {
  const target = await saying(t, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this', 'end')
  assert.ok((await ask(target)) instanceof Error)
})

test('only the start of an endless body is read', async (t) => {
  let written = 0
  const target = await answering(t, (_, response) => {
    const chunk = Buffer.alloc(16 * 1024)
    const more = (): void => {
      if (response.destroyed) return
      written += chunk.length
      if (response.write(chunk)) setImmediate(more)
      else response.once('drain', more)
    }
    more()
  })
  assert.equal(await ask(target), 200)
  assert.ok(written < 16 * 1024 * 1024)
})

test('cancelling closes the connection and reports nothing', async (t) => {
  const server = createTcpServer()
  const target = await listen(t, server)
  const outcomes: unknown[] = []
  const giveUp = httpProbe(target, (outcome) => outcomes.push(outcome))
  const [socket] = (await once(server, 'connection')) as [Socket]
  socket.resume()
  giveUp()
  await once(socket, 'close')
  assert.deepEqual(outcomes, [])
})

test('instances that hang, before or during the body, are unhealthy after their timeout', async (t) => {
  const silent = await saying(t, '', 'wait')
  const stalling = await saying(t, 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this', 'wait')
  const well = await answering(t, (_, response) => response.end('ok'))
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet, isLevelEnabled: () => false }
  const clock = new ManualClock()
  const checker = new HealthChecker({ board: HealthBoard.create(3), clock, random: Math.random, log })
  t.after(() => checker.stop())
  checker.update({
    users: {
      instances: [silent, stalling, well].map(({ host, port }) => ({ url: { scheme: 'http' as const, host, port } })),
      host: 'client',
      health: {
        method: 'GET',
        path: '/',
        headers: {},
        body: '',
        interval: 60_000,
        timeout: 150,
        unhealthyAfter: 1,
        healthyAfter: 1,
        status: [200],
      },
    },
  })
  checker.start()
  await turnUntil('the answer', () => checker.report()[0]!.instances[2]!.state === 'healthy')
  clock.advance(150)
  await checker.firstRound
  assert.deepEqual(
    checker.report()[0]!.instances.map(({ state, reason }) => `${state}: ${reason}`),
    [
      'unhealthy: no complete answer within 150 ms',
      'unhealthy: no complete answer within 150 ms',
      'healthy: status 200',
    ],
  )
})
