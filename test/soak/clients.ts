import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Agent } from 'node:http'
import { connect as connectSocket } from 'node:net'
import { send } from '../support/client.ts'
import { digest } from '../support/bytes.ts'
import { Peer } from '../support/peer.ts'
import { contentOf, cut, pathOf, type Plan } from './plan.ts'
import type { Random } from './random.ts'

/** What the clients of a soak share. */
export interface Surroundings {
  readonly port: number
  readonly agent: Agent
  readonly random: Random
  /** The outcomes of exchanges, by name. */
  readonly tally: Map<string, number>
}

/**
 * A client: makes the request of the plan in its own way, and throws unless the reply is correct or a clean failure.
 */
export type Client = (plan: Plan, around: Surroundings) => Promise<void>

/** The service answers these correctly. */
const ANSWERED = new Set<Plan['mood']>(['good', 'hints', 'late', 'hangup', 'extra'])

interface Outcome {
  readonly status: number
  readonly id: string | undefined
  readonly got: string | undefined
  readonly contentType: string | undefined
  readonly body: Buffer
}

function count({ tally }: Surroundings, name: string): void {
  tally.set(name, (tally.get(name) ?? 0) + 1)
}

/** Checks a complete reply, or the error instead of one. */
function judge(plan: Plan, outcome: Outcome | Error, around: Surroundings, method: string): void {
  // A request that may be retried does not fail because a connection to the service ends at a bad moment.
  const mayFail = !ANSWERED.has(plan.mood) || plan.body !== null
  if (outcome instanceof Error) {
    count(around, 'broken')
    return assert.ok(mayFail, `${method} ${pathOf(plan)} -> ${outcome.message}`)
  }
  const { status, id, got, contentType, body } = outcome
  count(around, String(status))
  const about = `${method} ${pathOf(plan)} -> ${status}`
  if (status === 200) {
    assert.equal(id, String(plan.id), about)
    assert.ok(ANSWERED.has(plan.mood) || plan.mood === 'early', about)
    if (plan.mood !== 'early') assert.equal(got, digest(plan.body ?? Buffer.alloc(0)), about)
    const size = plan.mood === 'extra' ? Math.min(plan.size, 1000) : plan.size
    if (method !== 'HEAD') assert.ok(body.equals(contentOf(plan.id, size)), about)
    return
  }
  assert.ok([502, 503, 504].includes(status), about)
  assert.equal(contentType, 'application/problem+json', about)
  if (method !== 'HEAD') assert.equal((JSON.parse(body.toString()) as { status: number }).status, status, about)
  assert.ok(mayFail, about)
}

async function open({ port }: Surroundings): Promise<Peer> {
  const socket = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  return new Peer(socket)
}

/** Reads a reply over a raw connection, or the error that ended it. */
async function readReply(peer: Peer, method = 'GET'): Promise<Outcome | Error> {
  try {
    let message = await peer.reply(method)
    while (message.start.startsWith('HTTP/1.1 1')) message = await peer.reply(method)
    const { start, fields, body } = message
    // Without a length, only a clean end means that it is complete.
    const delimited =
      method === 'HEAD' || ['Content-Length', 'Transfer-Encoding'].some((name) => fields.get(name) !== undefined)
    if (!delimited && (await peer.closed()) !== 'end') return new Error('it ended with a reset')
    return {
      status: Number(start.slice(9, 12)),
      id: fields.get('X-Id'),
      got: fields.get('X-Got'),
      contentType: fields.get('Content-Type'),
      body,
    }
  } catch (error) {
    return asError(error)
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

function headOf(plan: Plan, method: string, version: string, fields = ''): string {
  const length = plan.body === null ? '' : `Content-Length: ${plan.body.length}\r\n`
  return `${method} ${pathOf(plan)} HTTP/${version}\r\nHost: a\r\n${fields}${length}\r\n`
}

/** A library that pools its connections. */
const ordinary: Client = async (plan, around) => {
  const { body } = plan
  const ask = { path: pathOf(plan), agent: around.agent, ...(body === null ? {} : { method: 'POST', body }) }
  const answer = await send(around.port, ask).catch(asError)
  if (answer instanceof Error) return judge(plan, answer, around, 'GET')
  const { status, headers } = answer
  const [id, got] = [headers['x-id'], headers['x-got']].map((value) => (typeof value === 'string' ? value : undefined))
  judge(plan, { status, id, got, contentType: headers['content-type'], body: answer.body }, around, 'GET')
}

/** One connection and one request, in any version and method, at once or in pieces. */
function single(method: string, version: string, fields = ''): Client {
  return async (plan, around) => {
    const peer = await open(around)
    peer.write(headOf(plan, method, version, fields))
    for (const piece of cut(plan.body ?? Buffer.alloc(0), plan.pieces)) {
      peer.write(piece)
      await new Promise(setImmediate)
    }
    judge(plan, await readReply(peer, method), around, method)
    peer.socket.destroy()
  }
}

/** Requests only the head, which is correct even if the content would not be. */
const head: Client = (plan, around) => {
  const broken = ['stall', 'cut', 'badchunk'].includes(plan.mood)
  return single('HEAD', '1.1')(broken ? { ...plan, mood: 'good' } : plan, around)
}

/** A chunked upload, sent when the service asks for it. */
const chunked: Client = async (plan, around) => {
  const peer = await open(around)
  const body = plan.body ?? contentOf(plan.id, 3000)
  peer.write(`PUT ${pathOf(plan)} HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n`)
  const first = await peer.reply().catch(() => null)
  if (first?.start === 'HTTP/1.1 100 Continue') {
    for (const piece of cut(body, plan.pieces))
      peer.write(Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')]))
    peer.write('0\r\n\r\n')
    judge({ ...plan, body }, await readReply(peer), around, 'PUT')
  } else count(around, 'body not wanted')
  peer.socket.destroy()
}

/** Several requests at once; the replies arrive in order until one breaks the connection. */
const pipelining: Client = async (plan, around) => {
  const peer = await open(around)
  const plans = Array.from({ length: 5 }, (_, i): Plan => ({
    ...plan,
    id: plan.id * 10 + i,
    body: null,
    mood: i === 3 ? plan.mood : 'good',
  }))
  peer.write(plans.map((each) => headOf(each, 'GET', '1.1')).join(''))
  for (const each of plans) {
    const outcome = await readReply(peer)
    // The previous reply may be what breaks the connection.
    judge(outcome instanceof Error ? { ...each, mood: plan.mood } : each, outcome, around, 'GET')
    if (outcome instanceof Error) break
  }
  peer.socket.destroy()
}

/** Disconnects at any byte of its request. */
const leaving: Client = async (plan, around) => {
  const peer = await open(around)
  const bytes = Buffer.concat([Buffer.from(headOf(plan, 'POST', '1.1')), plan.body ?? Buffer.alloc(0)])
  peer.write(bytes.subarray(0, around.random.below(bytes.length)))
  if (around.random.below(2) === 0) await new Promise(setImmediate)
  if (around.random.below(2) === 0) peer.reset()
  else peer.socket.destroy()
  count(around, 'left')
}

/** Stalls in its head or body, and waits. */
function stopping(bytes: (plan: Plan) => string): Client {
  return async (plan, around) => {
    const peer = await open(around)
    peer.write(bytes(plan))
    const { start } = await peer.reply()
    assert.match(start, / (?:408|502|504) /)
    await peer.closed()
    count(around, 'stopped')
    peer.socket.destroy()
  }
}

/** Requests a lot and reads nothing of it. */
const deaf: Client = async (plan, around) => {
  const peer = await open(around)
  peer.socket.pause()
  const request = headOf({ ...plan, mood: 'good', framing: 'length', size: 300_000, body: null }, 'GET', '1.1')
  const closed = new Promise((resolve) => peer.socket.once('close', resolve))
  peer.write(request.repeat(100))
  for (let i = 0; i < 100; i++) await new Promise(setImmediate)
  peer.reset()
  await closed
  count(around, 'deaf')
}

/** Sends something that is not a request. */
const malformed: Client = async (_, around) => {
  const peer = await open(around)
  peer.write('GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n')
  assert.match((await peer.reply()).start, / 400 /)
  assert.equal(await peer.closed(), 'end')
  count(around, 'malformed')
  peer.socket.destroy()
}

/** Upgrades, and gets back what it sends. */
const tunnelling: Client = async (plan, around) => {
  const peer = await open(around)
  peer.write(
    'GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  assert.match((await peer.reply()).start, / 101 /)
  const content = contentOf(plan.id, plan.size + 1)
  for (const piece of cut(content, plan.pieces)) peer.write(piece)
  assert.ok((await peer.take(content.length)).equals(content))
  count(around, 'tunnel')
  if (plan.pieces % 2 === 0) peer.reset()
  else {
    peer.end()
    await peer.closed()
  }
}

/** Every kind of client, and its frequency. */
export const clients = {
  ordinary: { weight: 50, client: ordinary },
  one: { weight: 10, client: single('GET', '1.1') },
  head: { weight: 4, client: head },
  old: { weight: 5, client: single('GET', '1.0') },
  oldKept: { weight: 3, client: single('GET', '1.0', 'Connection: keep-alive\r\n') },
  closing: { weight: 4, client: single('DELETE', '1.1', 'Connection: close\r\n') },
  chunked: { weight: 6, client: chunked },
  pipelining: { weight: 5, client: pipelining },
  leaving: { weight: 5, client: leaving },
  slowHead: { weight: 1, client: stopping((plan) => headOf(plan, 'GET', '1.1').slice(0, -5)) },
  slowBody: {
    weight: 1,
    client: stopping((plan) => `${headOf({ ...plan, mood: 'good', body: Buffer.alloc(100) }, 'POST', '1.1')}x`),
  },
  deaf: { weight: 1, client: deaf },
  malformed: { weight: 2, client: malformed },
  tunnelling: { weight: 3, client: tunnelling },
} as const satisfies Record<string, { weight: number; client: Client }>

export type ClientName = keyof typeof clients
