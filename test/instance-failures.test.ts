import assert from 'node:assert/strict'
import { Agent } from 'node:http'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { scrape } from './support/metrics.ts'
import { connect, type Peer, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'

/** What an instance does with its connections. */
type Behavior = (peer: Peer, request: () => Promise<unknown>) => Promise<void> | void

const FAILURES: Readonly<Record<string, Behavior>> = {
  'resets connections once they are established': (peer) => peer.reset(),
  'closes connections once they are established': (peer) => peer.end(),
  'resets once a request has arrived': async (peer, request) => {
    await request()
    peer.reset()
  },
  'closes once a request has arrived': async (peer, request) => {
    await request()
    peer.end()
  },
  'resets within the head of its reply': async (peer, request) => {
    await request()
    peer.write('HTTP/1.1 200 OK\r\nContent-Le')
    peer.reset()
  },
  'closes within the head of its reply': async (peer, request) => {
    await request()
    peer.write('HTTP/1.1 200 OK\r\nContent-Le')
    peer.end()
  },
  'closes after an interim response': async (peer, request) => {
    await request()
    peer.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n')
    peer.end()
  },
  'closes an idle connection when it is used': async (peer, request) => {
    await request()
    peer.write(OK)
    await request()
    peer.end()
  },
  'resets each connection when it is reused': async (peer, request) => {
    await request()
    peer.write(OK)
    await request()
    peer.reset()
  },
}

/** Two healthy instances and one that fails; all record their requests. */
async function setUp(t: TestContext, failure: Behavior) {
  const received: string[] = []
  const note = (method: string, path: string): void => void received.push(`${method} ${path}`)
  const bad = await startRawService(t, (peer) =>
    failure(peer, async () => {
      const [method = '', path = ''] = (await peer.request()).start.split(' ')
      note(method, path)
    }),
  )
  const well = [1, 2].map(() =>
    startService(t, ({ method = '', url = '' }, response) => {
      note(method, url)
      response.end()
    }),
  )
  const urls = (await Promise.all(well)).map(({ url }) => url)
  const { port } = await startGateway(t, proxyTo([bad.url, ...urls]))
  return { port, received, bad }
}

for (const [what, failure] of Object.entries(FAILURES)) {
  test(`no GET, PUT or DELETE fails with an instance that ${what}`, async (t) => {
    const { port, bad } = await setUp(t, failure)
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    cleanUp(t, () => agent.destroy())
    for (let round = 0; round < 30; round++) {
      const requested = ['GET', 'PUT', 'DELETE', 'GET'].map((method) =>
        send(port, { method, agent, ...(method === 'PUT' && { body: 'body' }) }),
      )
      for (const { status } of await Promise.all(requested)) assert.equal(status, 200)
    }
    assert.ok(bad.connections > 0)
  })

  test(`no POST is sent twice with an instance that ${what}`, async (t) => {
    const { port, received, bad } = await setUp(t, failure)
    for (let i = 0; i < 60; i++) {
      const { status } = await send(port, { method: 'POST', path: `/${i}`, body: 'body' })
      assert.ok(status === 200 || status === 502)
    }
    assert.ok(bad.connections > 0)
    assert.equal(new Set(received).size, received.length)
  })
}

const CLOSES = async (peer: Peer): Promise<void> => {
  await peer.request()
  peer.end()
}

test('a request is sent to at most one other instance', async (t) => {
  const instances = [
    await startRawService(t, CLOSES),
    await startRawService(t, CLOSES),
    await startRawService(t, CLOSES),
  ]
  const { port } = await startGateway(t, proxyTo(instances.map(({ url }) => url)))
  assert.equal((await send(port)).status, 502)
  assert.deepEqual(
    instances.map(({ connections }) => connections),
    [1, 1, 0],
  )
})

test('a request whose body is still arriving is not sent again', async (t) => {
  const bad = await startRawService(t, async (peer) => {
    await peer.until('body')
    peer.end()
  })
  const well = await startService(t)
  const { port } = await startGateway(t, proxyTo([bad.url, well.url]))
  const client = await connect(t, port)
  client.write('PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n')
  assert.match((await client.reply()).start, / 502 /)
  assert.equal(well.received.length, 0)
})

test('no request fails if all instances have closed their idle connections', async (t) => {
  const serveOne = async (peer: Peer): Promise<void> => {
    await peer.request()
    peer.write(OK)
    await peer.request()
    peer.end()
  }
  const instances = [await startRawService(t, serveOne), await startRawService(t, serveOne)]
  const { port } = await startGateway(t, proxyTo(instances.map(({ url }) => url)))
  for (let i = 0; i < 10; i++) assert.equal((await send(port)).status, 200)
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_instance_errors_total'), 0)
})

test('closed connections of an instance are counted, and so are the retries', async (t) => {
  const bad = await startRawService(t, CLOSES)
  const { port } = await startGateway(t, proxyTo([bad.url, (await startService(t)).url]))
  for (let i = 0; i < 10; i++) assert.equal((await send(port)).status, 200)
  const metrics = await scrape(port)
  const instance = bad.url.slice('http://'.length)
  assert.equal(metrics.sum('sallyport_instance_errors_total', { instance, reason: 'closed' }), bad.connections)
  assert.equal(metrics.sum('sallyport_retries_total', { reason: 'closed' }), bad.connections)
  assert.equal(metrics.sum('sallyport_instance_requests_total', { status_class: '2xx' }), 10)
})
