import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect, type Peer, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

/** A gateway in front of a raw service, and a client. */
async function setUp(t: TestContext) {
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url))
  return { service, log, client: await connect(t, port), port }
}

const BEGINNINGS = {
  'with Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
  chunked: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n',
  'chunked, in a chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA\r\nhalf',
  'chunked, in the trailers': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\nX-Sum: 1\r\n',
}

for (const [name, beginning] of Object.entries(BEGINNINGS))
  for (const how of ['end', 'reset'] as const)
    test(`a reply ${name} that is cut off (${how}) is also cut off for the client`, async (t) => {
      const { service, client, log } = await setUp(t)
      client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
      const peer = await service.accept()
      await peer.request()
      peer.write(beginning)
      const head = await client.until('half')
      assert.match(head, /^HTTP\/1\.1 200 /)
      peer[how]()
      assert.equal(await client.closed(), 'reset')
      assert.doesNotMatch(client.received.toString(), /0\r\n/)
      const line = await log.line({ message: 'Reply broke off' })
      assert.deepEqual([line['level'], line['reason']], ['warn', 'service'])
    })

test('a close-delimited reply that is reset is also reset for the client', async (t) => {
  const { service, client } = await setUp(t)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\n\r\nhalf')
  await client.until('half')
  peer.reset()
  assert.equal(await client.closed(), 'reset')
})

test('a cut-off reply does not look complete to an HTTP/1.0 client', async (t) => {
  const { service, client } = await setUp(t)
  client.write('GET / HTTP/1.0\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write(BEGINNINGS.chunked)
  await client.until('half')
  peer.reset()
  assert.equal(await client.closed(), 'reset')
})

test('an instance killed during a reply only affects that reply', async (t) => {
  const half = await startRawService(t, async (peer) => {
    await peer.request()
    peer.write(BEGINNINGS['with Content-Length'])
  })
  const whole = await startService(t)
  const { port } = await startGateway(t, proxyTo([half.url, whole.url]))
  const client = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.until('half')
  await half.kill()
  assert.equal(await client.closed(), 'reset')
  for (let i = 0; i < 10; i++) assert.equal((await send(port)).text, String(whole.port))
})

for (const [name, reply] of Object.entries({
  'is not HTTP': 'SSH-2.0-OpenSSH_9.2\r\n',
  'has two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
  'has both a length and chunks': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'starts with an invalid chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n',
  'switches protocols unrequested': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  'has a too large head': `HTTP/1.1 200 OK\r\nX-Long: ${'x'.repeat(70_000)}\r\n\r\n`,
  'folds a header': 'HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n',
  'ends within the head': 'HTTP/1.1 200 OK\r\nContent-Le',
}))
  test(`a reply that ${name} is 502`, async (t) => {
    const { service, client } = await setUp(t)
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    const peer = await service.accept()
    await peer.request()
    peer.write(reply)
    peer.end()
    const problem = await client.reply()
    assert.match(problem.start, /^HTTP\/1\.1 502 /)
    assert.equal(problem.fields.get('Content-Type'), 'application/problem+json')
    assert.equal((JSON.parse(problem.body.toString()) as { title: string }).title, 'Bad gateway')
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await (await service.accept()).request()
  })

test('no request fails while instances are killed as long as another one is healthy', async (t) => {
  const steady = await startService(t)
  let other = await startService(t)
  const { port } = await startGateway(t, proxyTo([steady.url, other.url]))
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  cleanUp(t, () => agent.destroy())
  const seen = new Map<string, number>()
  for (let round = 0; round < 6; round++) {
    for (let i = 0; i < 10; i++) {
      const replies = await Promise.all([1, 2, 3, 4].map(() => send(port, { agent })))
      for (const { status, text } of replies) {
        assert.equal(status, 200)
        seen.set(text, (seen.get(text) ?? 0) + 1)
      }
    }
    if (round % 2 === 0) await other.kill()
    else other = await startService(t, undefined, { port: other.port })
  }
  assert.deepEqual(new Set(seen.keys()), new Set([String(steady.port), String(other.port)]))
})

/** Serves one request on the first connection, and closes it, unanswered, when the second one arrives. */
async function staleAfterOne(t: TestContext) {
  const service = await startRawService(t, async (peer, number) => {
    const first = await peer.request()
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${first.start.length}\r\n\r\n${first.start}`)
    const second = await peer.request()
    if (number === 1) return peer.reset()
    peer.write(`HTTP/1.1 200 OK\r\nContent-Length: ${second.start.length}\r\n\r\n${second.start}`)
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  const client = await connect(t, port)
  client.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.reply()
  return { service, client }
}

for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])
  test(`${method} is sent again if a reused connection turns out to be closed`, async (t) => {
    const { service, client } = await staleAfterOne(t)
    client.write(`${method} /second HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`)
    const reply = await client.reply(method)
    assert.match(reply.start, / 200 /)
    assert.equal(service.connections, 2)
  })

for (const method of ['POST', 'PATCH', 'LOCK'])
  test(`${method} is not sent again if a reused connection turns out to be closed`, async (t) => {
    const { service, client } = await staleAfterOne(t)
    client.write(`${method} /second HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody`)
    const reply = await client.reply()
    assert.match(reply.start, / 502 /)
    assert.equal(service.connections, 1)
  })

test('PUT is not sent again after a part of its body was sent', async (t) => {
  const { service, client } = await setUp(t)
  client.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  await client.reply()
  client.write('PUT /second HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n')
  await peer.until('body')
  peer.reset()
  assert.match((await client.reply()).start, / 502 /)
  assert.equal(service.connections, 1)
})

test('a new connection that closes without a reply is 502, without another try', async (t) => {
  const service = await startRawService(t, async (peer: Peer) => {
    await peer.request()
    peer.end()
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  assert.equal((await send(port)).status, 502)
  assert.equal(service.connections, 1)
})

test('a request is sent again only once', async (t) => {
  let requests = 0
  const service = await startRawService(t, async (peer, number) => {
    for (;;) {
      await peer.request()
      requests++
      if (requests > 1) return peer.end()
      peer.write(`HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${number}`)
    }
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  assert.equal((await send(port)).status, 200)
  assert.equal((await send(port)).status, 502)
  assert.equal(requests, 3)
})

test('after the start of a reply the request is not sent again', async (t) => {
  let requests = 0
  const service = await startRawService(t, async (peer) => {
    for (;;) {
      await peer.request()
      requests++
      if (requests > 1) {
        peer.write('HTTP/1.1 2')
        return peer.end()
      }
      peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    }
  })
  const { port } = await startGateway(t, proxyTo(service.url))
  assert.equal((await send(port)).status, 200)
  assert.equal((await send(port)).status, 502)
  assert.equal(requests, 2)
})

test('if an instance cannot be connected to, the next one is tried, whatever the method', async (t) => {
  const stopped = await startService(t)
  const well = await startService(t)
  const { port } = await startGateway(t, proxyTo([stopped.url, well.url]))
  // Only now, since the gateway could otherwise get its port.
  await stopped.kill()
  for (const method of ['GET', 'POST', 'GET', 'POST']) {
    const reply = await send(port, { method, body: 'body' })
    assert.equal(reply.text, String(well.port))
  }
})

test('if all instances fail the reply is 503 "Service unavailable"', async (t) => {
  const [one, two] = [await startService(t), await startService(t)]
  await Promise.all([one.kill(), two.kill()])
  const { port, log } = await startGateway(t, proxyTo([one.url, two.url]))
  const reply = await send(port)
  assert.equal(reply.status, 503)
  assert.equal((JSON.parse(reply.text) as { detail: string }).detail, 'Service unavailable')
  assert.doesNotMatch(reply.text, /127\.0\.0\.1/)
  const line = await log.line({ message: 'Request failed in the service' })
  assert.match(JSON.stringify(line), /ECONNREFUSED|cannot connect/)
})
