import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { connect, type Peer, startRawService } from '../support/peer.ts'
import { request } from './request-case.ts'
import { reply, type ServiceCase } from './service-case.ts'
import { serviceCases } from './service-cases.ts'

/** Answers /good correctly, with the number of the connection, and /case with the case. */
async function startHostile(t: TestContext) {
  let current: ServiceCase | null = null
  let last: { peer: Peer; number: number } | null = null
  const { url } = await startRawService(t, async (peer, number) => {
    for (;;) {
      const { start } = await peer.request()
      if (!start.includes('/case')) {
        const body = String(number)
        peer.write(reply('200 OK', ['Date: now', `Content-Length: ${body.length}`], body))
        continue
      }
      last = { peer, number }
      const bytes = current!.reply
      await peer.writeInPieces(typeof bytes === 'string' ? [bytes] : bytes)
      if (current!.last === 'end') peer.end()
    }
  })
  return {
    url,
    play(hostile: ServiceCase) {
      current = hostile
    },
    /** The connection on which the case was sent. */
    get last() {
      return last!
    },
  }
}

async function check(
  t: TestContext,
  port: number,
  service: Awaited<ReturnType<typeof startHostile>>,
  hostile: ServiceCase,
) {
  service.play(hostile)
  const client = await connect(t, port)
  let bytes = ''
  client.socket.on('data', (chunk: Buffer) => (bytes += chunk.toString('latin1')))
  client.write(request(`${hostile.method ?? 'GET'} /case`, hostile.fields))

  // 1. What the client receives.
  if (hostile.passed !== undefined) {
    await client.take(hostile.passed.length)
    assert.equal(bytes, hostile.passed)
  } else if (hostile.cut !== undefined) {
    assert.equal(await client.closed(), 'reset')
    assert.equal(bytes, hostile.cut)
  } else {
    let answer = await client.reply()
    while (answer.start.startsWith('HTTP/1.1 1')) answer = await client.reply()
    assert.match(answer.start, /^HTTP\/1\.1 502 /)
    assert.equal(answer.fields.get('Content-Type'), 'application/problem+json')
  }

  // 2. What happens to the connection to the service.
  const { peer, number } = service.last
  if (!hostile.reused) await peer.closed()

  // 3. The next request gets its own reply.
  const next = hostile.cut === undefined ? client : await connect(t, port)
  next.write(request('GET /good'))
  const good = await next.reply()
  assert.equal(good.start, 'HTTP/1.1 200 OK')
  assert.equal(good.fields.get('Date'), 'now')
  assert.equal(Number(good.body) === number, hostile.reused === true, 'whether the connection is reused')
  client.socket.destroy()
  next.socket.destroy()
}

test('a hostile reply is rejected, cut off, or forwarded in normal form', async (t) => {
  const service = await startHostile(t)
  const limits = { head: '16kb', headers: 100 } as const
  const { port } = await startGateway(t, proxyTo(service.url, { service: { limits } }), { clock: new ManualClock() })
  for (const hostile of serviceCases)
    await t.test(`${hostile.name} (${hostile.rfc})`, (inner) => check(inner, port, service, hostile))
})
