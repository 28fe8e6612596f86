import assert from 'node:assert/strict'
import dns from 'node:dns'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type TestContext } from 'node:test'
import { cleanUp } from './support/cleanup.ts'
import { send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'

/** Services on one port of several addresses of this machine, each of which answers with its own address. */
async function startOn(t: TestContext, hosts: readonly string[]): Promise<number> {
  let port = 0
  for (const host of hosts) {
    const server = createServer({ keepAliveTimeout: 0 }, (_, response) => void response.end(host))
    server.listen(port, host)
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
    cleanUp(t, () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    })
  }
  return port
}

type Done = (error: null, addresses: dns.LookupAddress[]) => void

/** Makes users.test resolve to the current value of `addresses`; returns the number of lookups. */
function resolveTo(t: TestContext, addresses: () => readonly string[]): () => number {
  const { lookup } = dns
  let requests = 0
  t.mock.method(dns, 'lookup', (host: string, options: dns.LookupAllOptions, done: Done) => {
    if (host !== 'users.test') return lookup(host, options, (_, found) => done(null, found))
    requests++
    process.nextTick(() =>
      done(
        null,
        addresses().map((address) => ({ address, family: 4 })),
      ),
    )
  })
  return () => requests
}

test('connections are opened to all addresses of a name', async (t) => {
  const hosts = ['127.0.0.1', '127.0.0.2', '127.0.0.3']
  const port = await startOn(t, hosts)
  resolveTo(t, () => hosts)
  const gateway = await startGateway(t, proxyTo(`http://users.test:${port}`))
  const answers = await Promise.all(Array.from({ length: 12 }, () => send(gateway.port)))
  assert.deepEqual(new Set(answers.map(({ text }) => text)), new Set(hosts))
})

test('if nothing listens at an address of a name, the next one is tried', async (t) => {
  // Any port of 127.0.0.1 may belong to another test.
  const listening = '127.9.9.2'
  const port = await startOn(t, [listening])
  resolveTo(t, () => ['127.9.9.1', listening, '127.9.9.3'])
  const gateway = await startGateway(t, proxyTo(`http://users.test:${port}`))
  const answers = await Promise.all(Array.from({ length: 9 }, () => send(gateway.port, { method: 'POST' })))
  assert.deepEqual(new Set(answers.map(({ text }) => text)), new Set([listening]))
})

test('a changed address is used as connections expire', async (t) => {
  const port = await startOn(t, ['127.0.0.1', '127.0.0.2'])
  let where = '127.0.0.1'
  const lookups = resolveTo(t, () => [where])
  const clock = new ManualClock()
  const service = { pool: { lifetime: '5m', idleTimeout: '1h' } } as const
  const gateway = await startGateway(t, proxyTo(`http://users.test:${port}`, { service }), { clock })
  const answers: string[] = []
  for (let minute = 0; minute < 6; minute++) {
    answers.push((await send(gateway.port)).text)
    where = '127.0.0.2'
    clock.advance(60_000)
  }
  assert.deepEqual(answers, [...Array<string>(5).fill('127.0.0.1'), '127.0.0.2'])
  assert.equal(lookups(), 2)
})

test('health checks alternate between all addresses of a name', async (t) => {
  const requests: string[] = []
  const clock = new ManualClock()
  const hosts = ['127.0.0.1', '127.0.0.2']
  let port = 0
  for (const host of hosts) {
    const server = createServer((_, response) => {
      requests.push(host)
      response.end()
    })
    server.listen(port, host)
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
    cleanUp(t, () => server.close())
  }
  resolveTo(t, () => hosts)
  const service = { health: { interval: '10s' } } as const
  await startGateway(t, proxyTo(`http://users.test:${port}`, { service }), { clock })
  while (requests.length < 4) {
    clock.advance(1_000)
    await new Promise(setImmediate)
  }
  assert.deepEqual(requests.slice(0, 4), ['127.0.0.1', '127.0.0.2', '127.0.0.1', '127.0.0.2'])
})
