import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { z } from 'zod'
import { definePolicy, type GatewayInput } from '../../src/gateway.ts'
import { startGateway } from '../support/gateway.ts'
import { type Http2Peer, connectHttp2 } from '../support/http2-peer.ts'
import { startService } from '../support/service.ts'
import { authority, tlsListeners, writeLeaf } from '../support/tls.ts'
import { type ConformanceCase, UNREAD } from './conformance-case.ts'
import { frameCases } from './frame-cases.ts'
import { hpackCases } from './hpack-cases.ts'
import { messageCases } from './message-cases.ts'
import { typeCases } from './type-cases.ts'

const cases = [...frameCases, ...typeCases, ...messageCases, ...hpackCases]

const answerNever = definePolicy({
  name: 'answer-never',
  summary: 'Neither reads nor answers.',
  options: z.strictObject({}),
  create: () => () => () => new Promise<never>(() => {}),
})

/** The types know only the policies of the gateway. */
const NEVER = { 'answer-never': {} }

async function setUp(t: TestContext, secure: boolean): Promise<number> {
  const service = await startService(t, (request, response) => {
    const { url, headers } = request
    if (url === '/cookie') response.end(headers.cookie)
    else if (url === '/seen') response.end(headers['x-seen'] ?? headers['user-agent'])
    else if (url === '/large') response.end(Buffer.alloc(100_000))
    else if (url === '/echo') request.pipe(response)
    else request.resume()
  })
  const config: GatewayInput = {
    ...(secure && tlsListeners([writeLeaf(t, authority.issue())])),
    services: { backend: { instances: [service.url], health: false } },
    routes: [
      { id: 'own', match: { path: '/' }, reply: { status: 200, body: 'hello' } },
      { id: 'unread', match: { path: UNREAD }, reply: { status: 200 }, policies: NEVER },
      { id: 'all', match: { path: '/*' }, service: 'backend' },
    ],
  }
  const { port } = await startGateway(t, config, { policies: [answerNever] })
  return port
}

/** The outcome: a connection error, stream errors, or replies. */
function outcome({ goaways, streams }: Http2Peer) {
  const resets: Record<number, number> = {}
  const replies: Record<number, number> = {}
  for (const [id, { reset, status }] of streams) {
    if (reset !== null) resets[id] = reset
    if (status !== 0) replies[id] = status
  }
  return { goaway: goaways.at(-1)?.code, resets, replies }
}

async function run(t: TestContext, port: number, secure: boolean, each: ConformanceCase): Promise<void> {
  const { settings = {}, begin, send, goaway, resets = {}, replies = {}, check } = each
  const peer = await connectHttp2(t, port, { settings, secure, ...(begin !== undefined && { begin }) })
  for (const step of send) {
    if (typeof step === 'number') await peer.over(step)
    else peer.write(step)
  }
  if (goaway !== undefined) {
    assert.equal(await peer.closed(), 'end', 'GOAWAY is not lost')
    assert.equal(outcome(peer).goaway, goaway, peer.summary())
    await check?.(peer)
    return void peer.socket.destroy()
  }
  await peer.settled()
  await peer.until('the expected frames', () => {
    const { streams } = peer
    return (
      Object.keys(resets).every((id) => streams.get(Number(id))?.reset !== null && streams.has(Number(id))) &&
      Object.keys(replies).every((id) => streams.get(Number(id))?.over === true)
    )
  })
  await peer.settled()
  const seen = outcome(peer)
  assert.deepEqual([seen.goaway, seen.resets], [undefined, resets], peer.summary())
  for (const [id, status] of Object.entries(replies)) assert.equal(seen.replies[Number(id)], status, peer.summary())
  await check?.(peer)
  peer.socket.destroy()
}

for (const secure of [false, true])
  test(`a violation by the client ends its stream or its connection as RFC 9113 and RFC 7541 require, ${secure ? 'with TLS' : 'without TLS'}`, async (t) => {
    const port = await setUp(t, secure)
    for (const each of cases) await t.test(`${each.name} (${each.rfc})`, (inner) => run(inner, port, secure, each))
  })

/** Waiting in vain for the server takes as long as the timeout of tests: byte by byte the result is the same. */
test('sending byte by byte has the same outcome', async (t) => {
  const port = await setUp(t, false)
  for (const each of cases) {
    const bytes = each.send.every((step) => typeof step !== 'number' && step.length < 300)
    if (!bytes || each.check !== undefined) continue
    await t.test(`${each.name} (${each.rfc})`, (inner) => {
      const pieces = each.send.flatMap((step) =>
        typeof step === 'number' ? [] : Array.from(step, (byte) => Buffer.from([byte])),
      )
      return run(inner, port, false, { ...each, send: pieces })
    })
  }
})
