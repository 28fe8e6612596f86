import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { proxyTo, startGateway } from '../support/gateway.ts'
import { connect, type Peer } from '../support/peer.ts'
import { chunkCases } from './chunk-cases.ts'
import { fieldCases } from './field-cases.ts'
import { framingCases } from './framing-cases.ts'
import { headCases } from './head-cases.ts'
import { type Recorder, startRecorder } from './recorder.ts'
import { forwarded, request, type RequestCase } from './request-case.ts'
import { targetCases } from './target-cases.ts'

const GOOD = request('GET /good')

async function setUp(t: TestContext) {
  const recorder = await startRecorder(t)
  const { port, gateway } = await startGateway(t, proxyTo(recorder.url, { limits: { body: '10kb' } }))
  return { recorder, port, gateway }
}

/** One reply for each forwarded message, then the rejection and the end of the connection, and nothing else. */
async function checkReplies(
  client: Peer,
  { send, forwarded: messages = [], refused, kept }: RequestCase,
): Promise<void> {
  const method = send.startsWith('HEAD') ? 'HEAD' : 'GET'
  for (const _ of messages) assert.match((await client.reply(method)).start, /^HTTP\/1\.1 200 /)
  if (refused === undefined) return
  const reply = await client.reply()
  assert.match(reply.start, new RegExp(`^HTTP/1\\.1 ${refused} `))
  assert.equal(reply.fields.get('Content-Type'), 'application/problem+json')
  if (kept) return
  assert.equal(reply.fields.get('Connection'), 'close')
  assert.equal((await client.rest()).toString('latin1'), '')
}

/** The gateway still works, and on a connection that stays open it finds the next request. */
async function checkGood(port: number, t: TestContext, peer: Peer | null): Promise<void> {
  const client = peer ?? (await connect(t, port))
  client.write(GOOD)
  assert.match((await client.reply()).start, /^HTTP\/1\.1 200 /)
  client.socket.destroy()
}

async function checkWhole(t: TestContext, port: number, recorder: Recorder, hostile: RequestCase): Promise<void> {
  recorder.reset()
  const client = await connect(t, port)
  client.write(hostile.send)
  await checkReplies(client, hostile)
  const goesOn = hostile.refused === undefined || hostile.kept === true
  await checkGood(port, t, goesOn && !hostile.send.includes('HTTP/1.0') ? client : null)
  client.socket.destroy()
  assert.equal(recorder.bytes, [...(hostile.forwarded ?? []), forwarded('GET /good')].join(''))
}

/** How most of them begin; the others show that a request may be split there. */
const BEGINNING = 'GET / HTTP/1.1\r\nHost: a\r\n'

/** Byte by byte after that beginning; long ones in a hundred pieces. */
function pieces(bytes: string): string[] {
  if (bytes.startsWith(BEGINNING)) return [BEGINNING, ...pieces(bytes.slice(BEGINNING.length))]
  const size = bytes.length < 1000 ? 1 : Math.ceil(bytes.length / 100)
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size))
}

async function checkPieces(t: TestContext, port: number, recorder: Recorder, hostile: RequestCase): Promise<void> {
  recorder.reset()
  const client = await connect(t, port)
  await client.writeInPieces(pieces(hostile.send))
  await checkReplies(client, hostile)
  const whole = recorder.requests
  client.socket.destroy()
  await checkGood(port, t, null)
  assert.equal(whole, hostile.forwarded?.length ?? 0, 'complete requests that the service received')
  if (!hostile.inBody && hostile.forwarded === undefined) assert.equal(recorder.bytes, forwarded('GET /good'))
}

const table = [...framingCases, ...chunkCases, ...headCases, ...targetCases, ...fieldCases]

test('each hostile request is rejected, or forwarded in normal form, at once and byte by byte', async (t) => {
  const { port, recorder, gateway } = await setUp(t)
  for (const hostile of table)
    await t.test(`${hostile.name} (${hostile.rfc})`, async (inner) => {
      await checkWhole(inner, port, recorder, hostile)
      if (hostile.atOnce !== true) await checkPieces(inner, port, recorder, hostile)
    })
  assert.ok(gateway.connections <= 1)
})
