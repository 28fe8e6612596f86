import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { startGateway, proxyTo } from './support/gateway.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { scrape } from './support/metrics.ts'
import { bytes } from './support/bytes.ts'
import { connect, startRawService } from './support/peer.ts'
import { problemOf, refusal } from './support/problem.ts'
import { startService } from './support/service.ts'

/** A gateway with the clock of the test in front of a service, and a client. */
async function setUp(t: TestContext, config: Parameters<typeof proxyTo>[1] = {}) {
  const clock = new ManualClock()
  const service = await startService(t, (request, response) => {
    request.resume().on('end', () => response.end())
  })
  const { port, log } = await startGateway(t, proxyTo(service.url, config), { clock })
  return { clock, service, port, log, client: await connect(t, port) }
}

/** The same with a raw service. */
async function setUpRaw(t: TestContext, config: Parameters<typeof proxyTo>[1] = {}) {
  const clock = new ManualClock()
  const service = await startRawService(t)
  const { port, log } = await startGateway(t, proxyTo(service.url, config), { clock })
  return { clock, service, port, log, client: await connect(t, port) }
}

/** The size up to which a body is buffered before the service receives any of it. */
const DEFAULT_BUFFER_SIZE = 65_536
/** The beginning of a body that is streamed. */
const BEGINNING = 'y'.repeat(DEFAULT_BUFFER_SIZE + 1)

/** Enough for some seconds at the minimum rate of a body. */
const TRICKLE = 'x'.repeat(2_000)

/** A head of exactly that many bytes. */
function headOf(size: number): string {
  const head = 'GET / HTTP/1.1\r\nHost: a\r\nX-Long: \r\n\r\n'
  return head.replace('X-Long: ', `X-Long: ${'x'.repeat(size - head.length)}`)
}

for (const [name, limits, size] of [
  ['by default', {}, 16_384],
  ['configured', { head: '1kb' }, 1_024],
] as const)
  test(`a head of ${size} bytes is accepted and a larger one is 431 (${name})`, async (t) => {
    const { client, service, port } = await setUp(t, { limits })
    client.write(headOf(size))
    assert.match((await client.reply()).start, / 200 /)
    client.write(headOf(size + 1))
    assert.equal((await refusal(client, 431)).title, 'Request header fields too large')
    const other = await connect(t, port)
    other.write(headOf(size + 3).slice(0, -2))
    await refusal(other, 431)
    assert.equal(service.received.length, 1)
  })

for (const [name, limits, size] of [
  ['by default', {}, 8_192],
  ['configured', { target: '1kb' }, 1_024],
] as const)
  test(`a target of ${size} bytes is accepted and a longer one is 414 (${name})`, async (t) => {
    const { client, service } = await setUp(t, { limits })
    client.write(`GET /${'x'.repeat(size - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`)
    assert.match((await client.reply()).start, / 200 /)
    client.write(`GET /?${'x'.repeat(size - 1)} HTTP/1.1\r\nHost: a\r\n\r\n`)
    await refusal(client, 414)
    assert.equal(service.received.length, 1)
  })

test('an endless target is 414 before the head is complete', async (t) => {
  const { client } = await setUp(t)
  client.write(`GET /${'x'.repeat(9_000)}`)
  await refusal(client, 414)
})

for (const [name, limits, count] of [
  ['by default', {}, 100],
  ['configured', { headers: 5 }, 5],
] as const)
  test(`${count} header fields are accepted and one more is 431 (${name})`, async (t) => {
    const { client, service } = await setUp(t, { limits })
    const fields = (number: number) => Array.from({ length: number - 1 }, (_, i) => `X-${i}: 1\r\n`).join('')
    client.write(`GET / HTTP/1.1\r\nHost: a\r\n${fields(count)}\r\n`)
    assert.match((await client.reply()).start, / 200 /)
    client.write(`GET / HTTP/1.1\r\nHost: a\r\n${fields(count + 1)}\r\n`)
    await refusal(client, 431)
    assert.equal(service.received.length, 1)
  })

for (const [name, limits, size] of [
  ['by default', {}, 10 * 1024 * 1024],
  ['configured', { body: '1kb' }, 1_024],
] as const) {
  test(`a body of ${size} bytes is accepted and a longer Content-Length is 413 (${name})`, async (t) => {
    const { client, service } = await setUp(t, { limits })
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`)
    client.write(bytes(size))
    assert.match((await client.reply()).start, / 200 /)
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size + 1}\r\n\r\n`)
    assert.equal((await refusal(client, 413)).title, 'Content too large')
    assert.equal(service.received.length, 1)
  })

  test(`a chunked body of ${size} bytes is accepted and a longer one is 413 while it arrives (${name})`, async (t) => {
    const { client, service, log } = await setUpRaw(t, { limits })
    const begin = `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n`
    client.write(begin)
    client.write(bytes(size))
    client.write('\r\n0\r\n\r\n')
    const peer = await service.accept()
    assert.equal((await peer.request()).body.length, size)
    peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    await client.reply()
    client.write(begin)
    client.write(bytes(size))
    client.write('\r\n1\r\nx\r\n0\r\n\r\n')
    await refusal(client, 413)
    assert.equal((await log.line({ status_code: 413 }))['method'], 'POST')
    // The service receives a broken request or none, never a short one that looks complete.
    if (size > DEFAULT_BUFFER_SIZE) await peer.closed()
    assert.doesNotMatch(peer.received.toString('latin1'), /\r\n0\r\n/)
  })
}

test('Expect: 100-continue with a body that is too large is rejected at once', async (t) => {
  const { client, service } = await setUp(t, { limits: { body: '1kb' } })
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n')
  await refusal(client, 413)
  assert.equal(service.received.length, 0)
})

test('a head that is incomplete after headTimeout is 408, however slowly it arrives', async (t) => {
  const { client, clock, service } = await setUp(t, { limits: { headTimeout: '10s' } })
  client.write('GET / HTTP/1.1\r\n')
  const byte = async (text: string): Promise<void> => {
    await client.writeInPieces([text])
    clock.advance(2_000)
  }
  await client.writeInPieces(['Host: a\r\n'])
  for (const letter of 'X-Slow') await byte(letter)
  assert.equal((await refusal(client, 408)).title, 'Request timeout')
  assert.equal(service.received.length, 0)
})

test('headTimeout starts with the first byte of the head, not with the previous reply', async (t) => {
  const { client, clock } = await setUp(t, { limits: { headTimeout: '10s', idleTimeout: '60s' } })
  for (let i = 0; i < 2; i++) {
    clock.advance(50_000)
    await client.writeInPieces(['GET / HTTP/1.1\r\n'])
    clock.advance(9_000)
    client.write('Host: a\r\n\r\n')
    assert.match((await client.reply()).start, / 200 /)
  }
})

test('a client that sends nothing is disconnected after idleTimeout without a reply', async (t) => {
  const { client, clock, port } = await setUp(t, { limits: { idleTimeout: '60s' } })
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.reply()
  const silent = await connect(t, port)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.reply()
  clock.advance(60_300)
  assert.equal(await silent.closed(), 'end')
  assert.equal(silent.received.length, 0)
})

test('a body without progress for bodyTimeout is 408, and a slow one is not', async (t) => {
  const { client, clock, service } = await setUpRaw(t, {
    limits: { bodyTimeout: '5s' },
    service: { timeouts: { response: '1s' } },
  })
  client.write(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${BEGINNING.length + 6 * TRICKLE.length}\r\n\r\n${BEGINNING}`,
  )
  const peer = await service.accept()
  await peer.until('\r\n\r\n')
  for (let i = 0; i < 5; i++) {
    clock.advance(4_500)
    client.write(TRICKLE)
    await peer.until(TRICKLE)
  }
  clock.advance(5_300)
  await refusal(client, 408)
  await peer.closed()
})

test('a service that does not reply within timeouts.response causes 504', async (t) => {
  const { client, clock, service, log } = await setUpRaw(t)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  clock.advance(29_900)
  assert.equal(client.received.length, 0)
  clock.advance(400)
  const reply = await client.reply()
  assert.equal(problemOf(reply).title, 'Gateway timeout')
  assert.match(reply.start, / 504 /)
  assert.equal(reply.fields.get('Connection'), undefined)
  await peer.closed()
  assert.equal((await log.line({ message: 'Request failed in the service' }))['level'], 'warn')
})

test('a reply that stalls for timeouts.idle is cut off', async (t) => {
  const { client, clock, service, log, port } = await setUpRaw(t, { service: { timeouts: { idle: '5s' } } })
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin')
  await client.until('begin')
  for (let i = 0; i < 3; i++) {
    clock.advance(4_500)
    peer.write('.')
    await client.until('.')
  }
  clock.advance(5_300)
  assert.equal(await client.closed(), 'reset')
  await peer.closed()
  const line = await log.line({ message: 'Reply or tunnel was idle for too long' })
  assert.equal(line['reason'], 'idle')
  assert.match(String(line['detail']), /timeouts\.idle/)
  const metrics = await scrape(port)
  assert.equal(metrics.sum('sallyport_replies_broken_total', { reason: 'idle' }), 1)
  assert.equal(metrics.sum('sallyport_replies_broken_total', { reason: 'service' }), 0)
})

test('timeouts.response starts at the end of the request', async (t) => {
  const { client, clock, service } = await setUpRaw(t, { service: { timeouts: { response: '5s' } } })
  client.write(
    `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${BEGINNING.length + 8 * TRICKLE.length}\r\n\r\n${BEGINNING}`,
  )
  const peer = await service.accept()
  await peer.until('\r\n\r\n')
  for (let i = 0; i < 8; i++) {
    clock.advance(4_000)
    client.write(TRICKLE)
    await peer.until(TRICKLE)
  }
  clock.advance(4_000)
  peer.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
  assert.match((await client.reply()).start, / 200 /)
})

/** A reply whose head is exactly that many bytes. */
function replyOf(size: number): string {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Long: \r\n\r\n'
  return head.replace('X-Long: ', `X-Long: ${'x'.repeat(size - head.length)}`)
}

/** What a client receives for that reply of the service. */
async function answerTo(t: TestContext, reply: string, limits: object) {
  // The limits of clients do not apply to replies.
  const config = { limits: { head: '1kb' as const, headers: 5 }, service: { limits } }
  const { client, service } = await setUpRaw(t, config)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  peer.write(reply)
  return client.reply()
}

for (const [name, limits, size] of [
  ['by default', {}, 65_536],
  ['configured', { head: '2kb' }, 2_048],
] as const)
  test(`a reply with a head of ${size} bytes is forwarded, and a larger one is 502 with the reason (${name})`, async (t) => {
    assert.match((await answerTo(t, replyOf(size), limits)).start, / 200 /)
    for (const reply of [replyOf(size + 1), replyOf(size + 3).slice(0, -2)]) {
      const refused = await answerTo(t, reply, limits)
      assert.match(refused.start, / 502 /)
      assert.equal(
        problemOf(refused).detail,
        `The head of the service's reply is too large. It is larger than ${size} bytes.`,
      )
    }
  })

for (const [name, limits, count] of [
  ['by default', {}, 500],
  ['configured', { headers: 12 }, 12],
] as const)
  test(`a reply with ${count} header fields is forwarded, and one with more is 502 with the reason (${name})`, async (t) => {
    const reply = (number: number): string =>
      `HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${Array.from({ length: number - 1 }, (_, i) => `X-${i}: 1\r\n`).join('')}\r\n`
    const passed = await answerTo(t, reply(count), limits)
    assert.equal(passed.fields.get(`X-${count - 2}`), '1')
    const refused = await answerTo(t, reply(count + 1), limits)
    assert.match(refused.start, / 502 /)
    assert.equal(
      problemOf(refused).detail,
      `The head of the service's reply is too large. There are more than ${count} header fields.`,
    )
  })

test('a large reply head can arrive in small pieces', async (t) => {
  const { client, service } = await setUpRaw(t)
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  const peer = await service.accept()
  await peer.request()
  const reply = replyOf(40_000)
  await peer.writeInPieces(Array.from({ length: 80 }, (_, i) => reply.slice(i * 500, (i + 1) * 500)))
  assert.equal((await client.reply()).fields.get('X-Long'), /x+/.exec(reply)?.[0])
})
