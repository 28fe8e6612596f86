import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { GatewayInput } from '../src/gateway.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { connect } from './support/peer.ts'
import { startService } from './support/service.ts'

const PROXY = '127.0.0.1'
const STRANGER = '127.0.0.2'

/** Sends the header lines twice over one connection, and returns what the service received both times, and the log. */
async function ask(t: TestContext, from: string, lines: readonly string[], config: GatewayInput = {}) {
  const service = await startService(t)
  const all = { trustedProxies: [PROXY, '10.0.0.0/8'], clientHeader: 'CF-Connecting-IP', ...config }
  const { port, log } = await startGateway(t, proxyTo(service.url, all))
  const peer = await connect(t, port, from)
  for (let i = 0; i < 2; i++) {
    peer.write(`GET / HTTP/1.1\r\nHost: a\r\n${lines.map((line) => `${line}\r\n`).join('')}\r\n`)
    assert.match((await peer.reply()).start, / 200 /)
  }
  const [first, second] = service.received.map(({ headers }) => headers)
  assert.deepEqual(first!['x-forwarded-for'], second!['x-forwarded-for'])
  const addresses = new Set(log.requests.map(({ ip_address }) => ip_address))
  assert.equal(addresses.size, 1)
  return { headers: first!, address: [...addresses][0] }
}

for (const value of ['203.0.113.9', '2001:db8::9'])
  test(`the client address is taken from the header of a trusted proxy: ${value}`, async (t) => {
    const { headers, address } = await ask(t, PROXY, [`CF-Connecting-IP: ${value}`])
    assert.equal(address, value)
    assert.equal(headers['x-forwarded-for'], `${value}, ${PROXY}`)
    assert.equal(headers['cf-connecting-ip'], value)
  })

for (const field of ['CF-Connecting-IP: 2001:DB8:0:0::09', 'X-Forwarded-For: 2001:DB8:0:0::09'])
  test(`the address is normalized: ${field}`, async (t) => {
    const { address } = await ask(t, PROXY, [field])
    assert.equal(address, '2001:db8::9')
  })

test('only entries of X-Forwarded-For by trusted proxies are kept; scheme and host are taken from the proxy', async (t) => {
  const { headers, address } = await ask(t, PROXY, [
    'cf-connecting-ip: 203.0.113.9',
    'X-Forwarded-For: 1.1.1.1, 203.0.113.9, 10.0.0.5',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Host: shop.example',
  ])
  assert.equal(address, '203.0.113.9')
  assert.equal(headers['x-forwarded-for'], `203.0.113.9, 10.0.0.5, ${PROXY}`)
  assert.equal(headers['x-forwarded-proto'], 'https')
  assert.equal(headers['x-forwarded-host'], 'shop.example')
})

test('the header of an untrusted client is dropped', async (t) => {
  const { headers, address } = await ask(t, STRANGER, ['CF-Connecting-IP: 203.0.113.9'])
  assert.equal(address, STRANGER)
  assert.equal(headers['x-forwarded-for'], STRANGER)
  assert.equal(headers['cf-connecting-ip'], undefined)
})

for (const [name, lines] of [
  ['sent twice', ['CF-Connecting-IP: 203.0.113.9', 'cf-connecting-ip: 203.0.113.9']],
  ['a list', ['CF-Connecting-IP: 203.0.113.9, 203.0.113.10']],
  ['not an address', ['CF-Connecting-IP: localhost']],
  ['an address with a port', ['CF-Connecting-IP: 203.0.113.9:80']],
  ['a leading zero', ['CF-Connecting-IP: 203.0.113.09']],
  ['a zone', ['CF-Connecting-IP: fe80::1%eth0']],
  ['empty', ['CF-Connecting-IP:']],
  ['missing', []],
] as const)
  test(`a value that is not exactly one address is ignored and dropped: ${name}`, async (t) => {
    const { headers, address } = await ask(t, PROXY, [...lines, 'X-Forwarded-For: 198.51.100.4'])
    assert.equal(address, '198.51.100.4')
    assert.equal(headers['x-forwarded-for'], `198.51.100.4, ${PROXY}`)
    assert.equal(headers['cf-connecting-ip'], undefined)
  })

test('any header name can be configured, and untrusted ones are dropped in every spelling and in trailers', async (t) => {
  const config = { clientHeader: 'X-Edge-Client' }
  const proxy = await ask(t, PROXY, ['X-Edge-Client: 203.0.113.9'], config)
  assert.deepEqual([proxy.address, proxy.headers['x-edge-client']], ['203.0.113.9', '203.0.113.9'])
  const spellings = [
    'X-Edge-Client: 1.1.1.1',
    'x-edge-client: 1.1.1.1',
    'X_Edge_Client: 1.1.1.1',
    'X.Edge-Client: 1.1.1.1',
  ]
  const stranger = await ask(t, STRANGER, spellings, config)
  assert.deepEqual(
    Object.keys(stranger.headers).filter((name) => name.includes('edge')),
    [],
  )
  const twins = await ask(t, PROXY, ['X_Edge_Client: 1.1.1.1'], config)
  assert.deepEqual([twins.address, twins.headers['x_edge_client']], [PROXY, undefined])
})

test('stored replies are shared by all clients that the header names', async (t) => {
  const service = await startService(t, (_, response) => {
    response.setHeader('Cache-Control', 'max-age=60')
    response.end('x')
  })
  const config = { trustedProxies: [PROXY], clientHeader: 'X-Edge-Client', policies: { cache: {} } }
  const { port } = await startGateway(t, proxyTo(service.url, config))
  for (const client of ['203.0.113.9', '203.0.113.10']) {
    const peer = await connect(t, port)
    peer.write(`GET / HTTP/1.1\r\nHost: a\r\nX-Edge-Client: ${client}\r\n\r\n`)
    assert.match((await peer.reply()).start, / 200 /)
  }
  assert.equal(service.received.length, 1)
})

test('a trailer with that name is not forwarded', async (t) => {
  let trailers: NodeJS.Dict<string> = {}
  const service = await startService(t, (request, response) => {
    request.resume().on('end', () => {
      trailers = request.trailers
      response.end()
    })
  })
  const { port } = await startGateway(t, proxyTo(service.url, { clientHeader: 'X-Edge-Client' }))
  const peer = await connect(t, port)
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum, X-Edge-Client\r\n\r\n'
  peer.write(`${head}1\r\nx\r\n0\r\nX-Sum: 1\r\nX-Edge-Client: 1.1.1.1\r\nX_Edge_Client: 1.1.1.1\r\n\r\n`)
  assert.match((await peer.reply()).start, / 200 /)
  assert.deepEqual({ ...trailers }, { 'x-sum': '1' })
})

test('behind the PROXY protocol the header is used if the PROXY header names a trusted proxy', async (t) => {
  const service = await startService(t)
  const { port } = await startGateway(
    t,
    proxyTo(service.url, {
      listeners: [{ address: '127.0.0.1:0', proxyProtocol: 'required' }],
      trustedProxies: [PROXY, '10.0.0.0/8'],
      clientHeader: 'CF-Connecting-IP',
    }),
  )
  for (const [source, client] of [
    ['10.0.0.5', '203.0.113.9, 10.0.0.5'],
    ['192.0.2.7', '192.0.2.7'],
  ] as const) {
    const peer = await connect(t, port)
    peer.write(
      `PROXY TCP4 ${source} 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\nCF-Connecting-IP: 203.0.113.9\r\n\r\n`,
    )
    assert.match((await peer.reply()).start, / 200 /)
    assert.equal(service.received.at(-1)!.headers['x-forwarded-for'], client)
  }
})

for (const name of [
  'Host',
  'X-Forwarded-For',
  'forwarded',
  'Content-Length',
  'X-User-ID',
  'Client-Cert',
  'X_IP',
  'Authorization',
  '',
])
  test(`${JSON.stringify(name)} is rejected as a header name`, async (t) => {
    await assert.rejects(startGateway(t, { clientHeader: name }), /clientHeader: expected the name of a header/)
  })
