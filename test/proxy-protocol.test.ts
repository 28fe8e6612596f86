import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { createGateway } from '../src/gateway.ts'
import { startHaproxy, startNginx } from './support/balancers.ts'
import { type Ask, send } from './support/client.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { scrape } from './support/metrics.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'
import { turnUntil } from './support/settled.ts'

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'
const BALANCER = '127.0.0.1'
const FROM_V4 = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n'
const REQUIRED = [{ address: '127.0.0.1:0', proxyProtocol: 'required' as const }]

/** A version 2 header for a client with that IPv4 address; LOCAL if it is null. */
function binary(address: string | null): Buffer {
  const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex')
  if (address === null) return Buffer.concat([signature, Buffer.from([0x20, 0, 0, 0])])
  const source = Buffer.from(address.split('.').map(Number))
  return Buffer.concat([signature, Buffer.from([0x21, 0x11, 0, 12]), source, Buffer.from([127, 0, 0, 1, 1, 2, 3, 4])])
}

/** A gateway that requires the header, and a second listener without it for metrics. */
async function start(t: TestContext, config: object = {}, options: { clock?: ManualClock } = {}) {
  const service = await startService(t)
  const listeners = [...REQUIRED, { address: '127.0.0.1:0' }]
  const all = proxyTo(service.url, { listeners, trustedProxies: [BALANCER], ...config })
  const started = await startGateway(t, all, { ready: options.clock === undefined, ...options })
  const { addresses } = started.gateway
  return { ...started, service, plainPort: addresses[1]!.port }
}

for (const [name, header, client] of [
  ['version 1', Buffer.from(FROM_V4), '192.0.2.7'],
  ['version 1 over IPv6', Buffer.from('PROXY TCP6 2001:DB8::7 2001:db8::1 1 2\r\n'), '2001:db8::7'],
  ['version 2', binary('192.0.2.7'), '192.0.2.7'],
  ['UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n'), BALANCER],
  ['LOCAL', binary(null), BALANCER],
] as const)
  test(`the client address is taken from the header, split at every byte: ${name}`, async (t) => {
    const { port, service, log } = await start(t)
    for (let at = 1; at <= header.length + 3; at++) {
      const peer = await connect(t, port)
      const bytes = Buffer.concat([header, Buffer.from(GET)])
      await peer.writeInPieces([bytes.subarray(0, at), bytes.subarray(at)])
      assert.match((await peer.reply()).start, / 200 /)
      // The connection still belongs to that client.
      peer.write(GET)
      assert.match((await peer.reply()).start, / 200 /)
      peer.end()
      assert.deepEqual([service.received.at(-1)!.headers['x-forwarded-for'], service.received.length], [client, 2 * at])
    }
    assert.ok(log.requests.every(({ ip_address }) => ip_address === client))
  })

test('the header can arrive byte by byte, or together with all requests', async (t) => {
  const { port, service } = await start(t)
  const slow = await connect(t, port)
  await slow.writeInPieces(`${FROM_V4}${GET}`.split(''))
  assert.match((await slow.reply()).start, / 200 /)
  const fast = await connect(t, port)
  fast.write(`${FROM_V4}${GET}${GET}POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi${GET}`)
  for (let i = 0; i < 4; i++) assert.match((await fast.reply()).start, / 200 /)
  assert.ok(service.received.every(({ headers }) => headers['x-forwarded-for'] === '192.0.2.7'))
})

test('a large body directly after the header arrives completely', async (t) => {
  const service = await startService(t, (request, response) => void request.pipe(response))
  const { port } = await startGateway(t, proxyTo(service.url, { listeners: REQUIRED, trustedProxies: [BALANCER] }))
  const body = Buffer.alloc(500_000, 'x')
  const client = await connect(t, port)
  const head = `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`
  client.write(Buffer.concat([Buffer.from(FROM_V4 + head), body]))
  assert.deepEqual((await client.reply()).body, body)
})

test('a header from an untrusted address is rejected, and no request answered', async (t) => {
  const { port, plainPort, service, log } = await start(t, { trustedProxies: ['127.0.0.9'] })
  const client = await connect(t, port)
  client.write(FROM_V4 + GET)
  assert.match(await client.closed(), /end|reset/)
  assert.equal(client.received.length, 0)
  assert.equal(service.received.length, 0)
  const metrics = await scrape(plainPort)
  assert.equal(metrics.sum('sallyport_proxy_headers_refused_total', { reason: 'untrusted' }), 1)
  const line = await log.line({ reason: 'untrusted' })
  assert.deepEqual([line['ip_address'], line['level']], ['127.0.0.1', 'warn'])
})

for (const [name, bytes] of [
  ['a plain request', Buffer.from(GET)],
  ['TLS', Buffer.from('16030100c8010000c4', 'hex')],
  ['a version 1 header in lower case', Buffer.from(`proxy${FROM_V4.slice(5)}${GET}`)],
  ['half a header, followed by the end', null],
] as const)
  test(`a connection that does not start with a header is closed: ${name}`, async (t) => {
    const { port, plainPort, service } = await start(t)
    const client = await connect(t, port)
    client.write(bytes ?? FROM_V4.slice(0, 20))
    if (bytes === null) client.end()
    assert.match(await client.closed(), /end|reset/)
    assert.deepEqual([client.received.length, service.received.length], [0, 0])
    const metrics = await scrape(plainPort)
    assert.equal(metrics.sum('sallyport_proxy_headers_refused_total', { reason: 'malformed' }), 1)
  })

test('a connection that closes without sending anything does not count as rejected', async (t) => {
  const { port, plainPort } = await start(t)
  const ended = await connect(t, port)
  ended.end()
  assert.match(await ended.closed(), /end|reset/)
  const reset = await connect(t, port)
  await reset.writeInPieces([FROM_V4.slice(0, 5)])
  reset.reset()
  const metrics = await scrape(plainPort)
  assert.equal(metrics.sum('sallyport_proxy_headers_refused_total'), 0)
})

test('the header has to arrive within 5 seconds', async (t) => {
  const clock = new ManualClock()
  const { port, plainPort, gateway } = await start(t, {}, { clock })
  const watched = gateway.watched
  const late = await connect(t, port)
  await late.writeInPieces([FROM_V4.slice(0, 20)])
  await turnUntil('the connection to be watched', () => gateway.watched > watched)
  clock.advance(5_000)
  await late.writeInPieces([FROM_V4.slice(20), GET])
  assert.match((await late.reply()).start, / 200 /)
  const tooLate = await connect(t, port)
  await tooLate.writeInPieces([FROM_V4.slice(0, 20)])
  const open = gateway.watched
  await turnUntil('the connection to be watched', () => gateway.watched >= open)
  clock.advance(5_300)
  assert.match(await tooLate.closed(), /end|reset/)
  const metrics = await scrape(plainPort)
  assert.equal(metrics.sum('sallyport_proxy_headers_refused_total', { reason: 'late' }), 1)
})

test('at most 1024 connections wait for a header at a time', async (t) => {
  const { port, plainPort, gateway } = await start(t)
  const before = gateway.watched
  const silent = await Promise.all(Array.from({ length: 1024 }, () => connect(t, port)))
  await turnUntil('all', () => gateway.watched === before + 1024)
  const further = await connect(t, port)
  assert.match(await further.closed(), /end|reset/)
  silent[0]!.write(FROM_V4 + GET)
  assert.match((await silent[0]!.reply()).start, / 200 /)
  const next = await connect(t, port)
  next.write(FROM_V4 + GET)
  assert.match((await next.reply()).start, / 200 /)
  const metrics = await scrape(plainPort)
  assert.equal(metrics.sum('sallyport_proxy_headers_refused_total', { reason: 'full' }), 1)
})

const FORWARDED = { 'X-Forwarded-For': '203.0.113.9', 'X-Forwarded-Proto': 'https', 'X-Real-IP': '203.0.113.9' }

for (const [name, header, client, chain, believed] of [
  ['from a client are not trusted', FROM_V4, '192.0.2.7', '192.0.2.7', false],
  [
    'from a trusted proxy are trusted',
    'PROXY TCP4 10.0.0.5 198.51.100.1 1 2\r\n',
    '203.0.113.9',
    '203.0.113.9, 10.0.0.5',
    true,
  ],
  ['from an unknown client are not trusted', 'PROXY UNKNOWN\r\n', BALANCER, BALANCER, false],
  [
    'from the balancer itself are trusted',
    binary(null).toString('latin1'),
    '203.0.113.9',
    `203.0.113.9, ${BALANCER}`,
    true,
  ],
] as const)
  test(`forwarding fields ${name}`, async (t) => {
    const { port, service, log } = await start(t, { trustedProxies: [BALANCER, '10.0.0.0/8'] })
    const peer = await connect(t, port)
    const fields = Object.entries(FORWARDED).map(([field, value]) => `${field}: ${value}\r\n`)
    // Twice: every request on a connection gets the same.
    for (const first of [header, '']) {
      peer.write(`${first}GET / HTTP/1.1\r\nHost: a\r\n${fields.join('')}\r\n`)
      assert.match((await peer.reply()).start, / 200 /)
    }
    for (const { headers } of service.received) {
      assert.equal(headers['x-forwarded-for'], chain)
      assert.equal(headers['x-forwarded-proto'], believed ? 'https' : 'http')
      assert.equal(headers['x-real-ip'], believed ? '203.0.113.9' : undefined)
    }
    assert.ok(log.requests.every(({ ip_address }) => ip_address === client))
  })

test('limits per client use the address in the header', async (t) => {
  const { port } = await start(t, { limits: { perClient: { connections: 1 } } })
  const first = await connect(t, port)
  first.write(FROM_V4 + GET)
  assert.match((await first.reply()).start, / 200 /)
  const second = await connect(t, port)
  second.write(FROM_V4 + GET)
  assert.match(await second.closed(), /end|reset/)
  const other = await connect(t, port)
  other.write(FROM_V4.replace('.7 ', '.8 ') + GET)
  assert.match((await other.reply()).start, / 200 /)
})

test('at the connection limit an idle connection of the client with the most is closed', async (t) => {
  const { port, gateway } = await start(t, { limits: { connections: 3 } })
  const greedy = []
  for (let i = 0; i < 3; i++) {
    const peer = await connect(t, port)
    peer.write(FROM_V4 + GET)
    await peer.reply()
    greedy.push(peer)
  }
  await turnUntil('all', () => gateway.connections === 3)
  const other = await connect(t, port)
  other.write(FROM_V4.replace('.7 ', '.8 ') + GET)
  assert.match((await other.reply()).start, / 200 /)
  assert.equal(await greedy[0]!.closed(), 'end')
})

test('rate limits use the address in the header', async (t) => {
  const { port } = await start(t, { policies: { 'rate-limit': { tiers: { unauthenticated: '1/h' } } } })
  const statuses: string[] = []
  for (const address of ['192.0.2.7', '192.0.2.7', '192.0.2.8']) {
    const peer = await connect(t, port)
    peer.write(Buffer.concat([binary(address), Buffer.from(GET)]))
    statuses.push((await peer.reply()).start.split(' ')[1]!)
  }
  assert.deepEqual(statuses, ['200', '429', '200'])
})

test('connections waiting for a header are closed on shutdown', async (t) => {
  const { port, gateway } = await start(t)
  const before = gateway.watched
  const silent = await connect(t, port)
  await turnUntil('it', () => gateway.watched > before)
  await gateway.close()
  assert.match(await silent.closed(), /end|reset/)
})

test('proxyProtocol: required without trusted proxies is a configuration problem', async () => {
  await assert.rejects(
    createGateway({ listeners: REQUIRED }),
    /listeners\[0\]\.proxyProtocol: required, but trustedProxies is empty; add the addresses of the load balancers that send the header/,
  )
})

/** Sends a request to a balancer from an address of this machine. */
function from(localAddress: string, port: number, ask: Ask = {}) {
  return send(port, { ...ask, localAddress })
}

for (const option of ['send-proxy', 'send-proxy-v2'])
  test(`behind HAProxy with ${option}`, async (t) => {
    const { port, service, log } = await start(t)
    const balancer = await startHaproxy(
      t,
      (own) =>
        `frontend in\n  mode tcp\n  bind 127.0.0.1:${own}\n  default_backend out\n` +
        `backend out\n  mode tcp\n  server gateway 127.0.0.1:${port} ${option} check inter 100ms check-send-proxy\n`,
    )
    for (const address of ['127.0.0.2', '127.0.0.3']) {
      const answer = await from(address, balancer, { headers: { 'X-Forwarded-For': '203.0.113.9' } })
      assert.equal(answer.status, 200)
      assert.equal(service.received.at(-1)!.headers['x-forwarded-for'], address)
    }
    assert.equal(log.lines.filter(({ reason }) => reason === 'malformed').length, 0)
  })

test('behind nginx with proxy_protocol', async (t) => {
  const { port, service } = await start(t)
  const balancer = await startNginx(
    t,
    (own) => `stream { server { listen 127.0.0.1:${own}; proxy_pass 127.0.0.1:${port}; proxy_protocol on; } }`,
  )
  assert.equal((await from('127.0.0.2', balancer)).status, 200)
  assert.equal(service.received.at(-1)!.headers['x-forwarded-for'], '127.0.0.2')
})

test('curl --haproxy-protocol works', async (t) => {
  const { port, service } = await start(t)
  const args = ['--silent', '--show-error', '--haproxy-protocol', '--noproxy', '*', `http://127.0.0.1:${port}/`]
  await promisify(execFile)('curl', args)
  assert.equal(service.received.at(-1)!.headers['x-forwarded-for'], '127.0.0.1')
})
