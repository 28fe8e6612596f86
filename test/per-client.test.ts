import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { connect, startRawService } from './support/peer.ts'
import { startService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

type Limits = NonNullable<Parameters<typeof proxyTo>[1]>['limits']

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const [GREEDY, OTHER] = ['127.0.0.2', '127.0.0.3']

test('at the connection limit, an idle connection of the client with the most is closed for another client', async (t) => {
  const service = await startService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url, { limits: { connections: 3 } }))
  const busy = await connect(t, port, GREEDY)
  busy.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n')
  await turnUntil('the first connection', () => gateway.connections === 1)
  const idle = await connect(t, port, GREEDY)
  await connect(t, port, GREEDY)
  await turnUntil('all', () => gateway.connections === 3)
  const other = await connect(t, port, OTHER)
  other.write(GET)
  assert.match((await other.reply()).start, / 200 /)
  assert.equal(await idle.closed(), 'end')
  busy.write('0123456789')
  assert.match((await busy.reply()).start, / 200 /)
  // The client at its limit does not get it back.
  const again = await connect(t, port, GREEDY)
  assert.match(await again.closed(), /end|reset/)
})

/** A gateway whose connections come from addresses that a proxy states. */
async function startIntroduced(t: TestContext, limits: Limits, trusted: readonly string[]) {
  const service = await startService(t)
  const listeners = [{ address: '127.0.0.1:0', proxyProtocol: 'required' as const }]
  const config = proxyTo(service.url, { listeners, trustedProxies: ['127.0.0.1', ...trusted], limits })
  const { port, gateway } = await startGateway(t, config)
  const from = async (address: string) => {
    const peer = await connect(t, port)
    peer.write(`PROXY TCP6 ${address} 2001:db8:1::1 1 2\r\n`)
    return peer
  }
  return { gateway, from }
}

for (const [what, limits] of [
  ['at the connection limit', { connections: 3 }],
  ['above its own limit', { perClient: { connections: 3 } }],
] as const)
  test(`all addresses of an IPv6 /64 network are one client ${what}`, async (t) => {
    const { gateway, from } = await startIntroduced(t, limits, [])
    for (let i = 1; i <= 3; i++) await from(`2001:db8::${i}`)
    await turnUntil('all', () => gateway.connections === 3)
    const same = await from('2001:db8::4')
    assert.match(await same.closed(), /end|reset/)
    const other = await from('2001:db8:0:1::1')
    other.write(GET)
    assert.match((await other.reply()).start, / 200 /)
  })

test('the connections of a trusted proxy do not count as those of other addresses of its IPv6 /64 network', async (t) => {
  const { gateway, from } = await startIntroduced(t, { perClient: { connections: 2 } }, ['2001:db8::1'])
  for (let i = 0; i < 3; i++) await from('2001:db8::1')
  await turnUntil('all', () => gateway.connections === 3)
  const neighbor = await from('2001:db8::2')
  neighbor.write(GET)
  assert.match((await neighbor.reply()).start, / 200 /)
})

test('without an idle one, a connection that keeps the gateway waiting is closed, which is logged', async (t) => {
  const service = await startService(t)
  const { port, gateway, log } = await startGateway(t, proxyTo(service.url, { limits: { connections: 2 } }))
  const slow = [await connect(t, port, GREEDY), await connect(t, port, GREEDY)]
  for (const client of slow)
    await client.writeInPieces(['POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n1'])
  await turnUntil('both', () => gateway.connections === 2)
  const other = await connect(t, port, OTHER)
  other.write(GET)
  assert.match((await other.reply()).start, / 200 /)
  assert.equal(await slow[0]!.closed(), 'reset')
  assert.equal((await log.line({ url: 'http://a/slow' }))['code'], 'request-timeout')
})

test('a rejected connection that keeps sending is closed as well', async (t) => {
  const service = await startService(t)
  const config = proxyTo(service.url, { limits: { connections: 2 } })
  const { port } = await startGateway(t, config, { clock: new ManualClock() })
  for (let i = 0; i < 2; i++) {
    const client = await connect(t, port, GREEDY)
    client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n')
    assert.match((await client.reply()).start, / 413 /)
  }
  const other = await connect(t, port, OTHER)
  other.write(GET)
  assert.match((await other.reply()).start, / 200 /)
})

test('a client with at most half of the connections keeps them', async (t) => {
  const service = await startService(t)
  const { port, gateway } = await startGateway(t, proxyTo(service.url, { limits: { connections: 2 } }))
  const first = await connect(t, port, GREEDY)
  await connect(t, port, OTHER)
  await turnUntil('both', () => gateway.connections === 2)
  const third = await connect(t, port, '127.0.0.4')
  assert.match(await third.closed(), /end|reset/)
  first.write(GET)
  assert.match((await first.reply()).start, / 200 /)
})

test('limits.perClient.connections applies to each address, except trusted proxies', async (t) => {
  const service = await startService(t)
  const config = proxyTo(service.url, {
    limits: { perClient: { connections: 1 } },
    trustedProxies: [OTHER],
  })
  const { port } = await startGateway(t, config)
  for (const [address, served] of [
    [GREEDY, true],
    [GREEDY, false],
    [OTHER, true],
    [OTHER, true],
  ] as const) {
    const client = await connect(t, port, address)
    client.write(GET)
    if (served) assert.match((await client.reply()).start, / 200 /)
    else assert.match(await client.closed(), /end|reset/)
  }
})

test('requests in flight above limits.perClient.requests are 429', async (t) => {
  const service = await startRawService(t)
  const config = proxyTo(service.url, { limits: { perClient: { requests: 1 } }, trustedProxies: [OTHER] })
  const { port } = await startGateway(t, config)
  const ask = async (address: string, fields = '') => {
    const client = await connect(t, port, address)
    client.write(`GET / HTTP/1.1\r\nHost: a\r\n${fields}\r\n`)
    return client
  }
  const first = await ask(GREEDY)
  const peer = await service.accept()
  await peer.request()
  const refused = await (await ask(GREEDY)).reply()
  assert.match(refused.start, / 429 /)
  assert.equal(refused.fields.get('Retry-After'), '1')
  assert.match((await (await ask(OTHER, `X-Forwarded-For: ${GREEDY}\r\n`)).reply()).start, / 429 /)
  for (let i = 0; i < 2; i++) {
    await ask(OTHER)
    await (await service.accept()).request()
  }
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  await first.reply()
  await ask(GREEDY)
  await peer.request()
})
