import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { parse } from 'yaml'
import { cleanUp } from '../support/cleanup.ts'
import { startGateway } from '../support/gateway.ts'
import type { Fields } from '../support/message.ts'
import { connect, type Peer } from '../support/peer.ts'
import { turnUntil } from '../support/settled.ts'
import { startService } from '../support/service.ts'
import { authority, connectSecurely, writeLeaf } from '../support/tls.ts'
import type { GatewayResources } from './model.ts'
import { type Entrance, translate } from './translate.ts'

type Values = Readonly<Record<string, string | readonly string[]>>

/** A request, and its expected result. */
interface Case {
  /** Method, path and query. */
  readonly ask: string
  readonly host?: string
  readonly headers?: Readonly<Record<string, string>>
  /** The Gateway, or the port, where there are several; the first otherwise. */
  readonly at?: string
  readonly port?: number
  /** The server name in the handshake. */
  readonly sni?: string
  readonly websocket?: true
  /** How often it is sent, and how the requests must be distributed. */
  readonly times?: number
  readonly shares?: Readonly<Record<string, number>>
  /** The field in which the service is to be told its own name. */
  readonly ownName?: string
  /** What the service does: sets fields, fails a few times, speaks HTTP/2. */
  readonly serviceSets?: Readonly<Record<string, string>>
  readonly serviceFails?: { readonly status: number | 'reset'; readonly times: number; readonly after?: string }
  readonly serviceSpeaks?: 'h2c'
  /** How many of the requests reach other services as well, whose replies nobody gets. */
  readonly mirrored?: Readonly<Record<string, number>>

  /** 200 by default. */
  readonly status?: number | readonly number[]
  readonly from?: string
  /** The request as the service gets it. */
  readonly reaches?: {
    readonly path?: string
    readonly host?: string
    readonly headers?: Readonly<Record<string, string>>
    readonly without?: readonly string[]
  }
  readonly reply?: Values
  readonly replyWithout?: readonly string[]
  readonly leads?: { readonly scheme?: string; readonly host?: string; readonly port?: string; readonly path?: string }
}

interface Group extends GatewayResources {
  readonly name: string
  readonly cases: readonly Case[]
}

const file = join(import.meta.dirname, 'cases.yaml')
const groups = parse(readFileSync(file, 'utf8')) as readonly Group[]

/** A service's description of the request that it received. */
interface Told {
  readonly service: string
  readonly path: string
  readonly host: string
  readonly headers: Readonly<Record<string, string | readonly string[]>>
}

/** The services of a group, which do what the case at hand wants of them. */
async function startServices(t: TestContext, names: readonly string[], speakHttp2: boolean) {
  let current: Case = { ask: '' }
  const received: string[] = []
  let failures = 0
  const urls = new Map<string, string>()
  for (const name of names) {
    const answer = (request: IncomingMessage, response: ServerResponse): void => {
      received.push(name)
      if (request.headers.upgrade === 'websocket') return void request.socket.write(SWITCHING)
      for (const [field, value] of Object.entries(current.serviceSets ?? {})) response.setHeader(field, value)
      const headers = Object.fromEntries(
        Object.entries(request.headersDistinct).map(([field, values = []]) => [field, values]),
      )
      const reported: Told = { service: name, path: request.url ?? '', host: request.headers.host ?? '', headers }
      const { serviceFails: fails } = current
      if (fails === undefined || failures >= fails.times) {
        // What is too slow is never there, so that nothing has to be waited for.
        if (current.status === 504 && current.ask.includes('delay=')) return
        response.end(JSON.stringify(reported))
        return
      }
      failures++
      if (fails.status === 'reset') return void request.socket.resetAndDestroy()
      if (fails.after === '300ms') return
      response.statusCode = fails.status
      const late = fails.after === undefined ? 0 : Number.parseInt(fails.after, 10)
      setTimeout(() => response.end(JSON.stringify(reported)), late)
    }
    urls.set(name, speakHttp2 ? await startHttp2(t, name) : (await startService(t, answer)).url)
  }
  return {
    urls,
    /** Waits until a service has got so many copies, or nearly. */
    copied: async (name: string, count: number): Promise<void> => {
      const copies = (): number => received.filter((each) => each === name).length
      await turnUntil(`copies for ${name}`, () => copies() >= count - 1)
      assert.ok(copies() <= count + 1, `${copies()} copies for ${name}, not ${count}`)
    },
    /** They go by this case from now on. */
    begin(next: Case) {
      current = next
      failures = 0
      received.length = 0
    },
  }
}

/** One that speaks HTTP/2 and nothing else. */
async function startHttp2(t: TestContext, service: string): Promise<string> {
  const server = createServer(({ url: path, authority: host }, response) => {
    const reported: Told = { service, path, host, headers: {} }
    response.end(JSON.stringify(reported))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  cleanUp(t, () => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function setUp(t: TestContext, group: Group) {
  const names = group.routes.flatMap(({ rules }) =>
    rules.flatMap(({ to = [], filters = [] }) => [
      ...to.flatMap(({ service }) => service ?? []),
      ...filters.flatMap(({ requestMirror }) => requestMirror?.backendRef.name ?? []),
    ]),
  )
  const speakHttp2 = group.cases.some(({ serviceSpeaks }) => serviceSpeaks === 'h2c')
  const services = await startServices(t, [...new Set(names)], speakHttp2)
  const translated = translate(group, (name) => ({
    instances: [services.urls.get(name) ?? 'http://127.0.0.1:1'],
    health: false,
    http2: speakHttp2,
  }))
  const { entrances } = translated
  const secure = entrances.some(({ tls }) => tls)
  const certificates = secure ? [writeLeaf(t, authority.issue({ names: SECURE_NAMES }))] : []
  const { gateway } = await startGateway(t, {
    listeners: entrances.map(({ name, tls }) => ({
      name,
      address: '127.0.0.1:0',
      ...(tls && { tls: { certificates } }),
    })),
    endpoints: { health: false, metrics: false, docs: false, openapi: false },
    services: translated.services,
    routes: [...translated.routes],
  })
  const ports = new Map(entrances.map((entrance, i) => [entrance, gateway.addresses[i]?.port ?? 0]))
  return {
    services,
    connect: async ({ at, port, sni }: Case): Promise<Peer> => {
      const entrance = entrances.find((each) => isAt(each, at, port)) ?? entrances[0]
      assert.ok(entrance !== undefined)
      const where = ports.get(entrance) ?? 0
      if (!entrance.tls) return connect(t, where)
      return (await connectSecurely(t, where, { servername: sni ?? 'example.org' })).peer
    },
  }
}

/** What the certificate of the suite is for: one for all listeners. */
const SECURE_NAMES = [
  'example.org',
  'second-example.org',
  '*.wildcard.org',
  'fourth-example.wildcard.org',
  'unknown-example.org',
]

function isAt(entrance: Entrance, gateway: string | undefined, port: number | undefined): boolean {
  return (gateway === undefined || entrance.gateway === gateway) && (port === undefined || entrance.port === port)
}

/** What came back. */
interface Answer {
  readonly status: number
  readonly fields: Fields
  readonly told: Told | null
}

async function ask(
  peer: Peer,
  { ask: what, host = 'gateway.example', headers = {}, websocket }: Case,
): Promise<Answer> {
  const [method = '', target = ''] = what.split(' ')
  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': KEY,
  }
  const lines = Object.entries({ Host: host, ...headers, ...(websocket === true && upgrade) })
  peer.write(`${method} ${target} HTTP/1.1\r\n${lines.map((line) => `${line.join(': ')}\r\n`).join('')}\r\n`)
  const { start, fields, body } = await peer.reply(method)
  const text = body.toString()
  const reported = text.startsWith('{"service"') ? (JSON.parse(text) as Told) : null
  return { status: Number(start.split(' ')[1]), fields, told: reported }
}

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
const SWITCHING = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`

/** Asserts that the answer is what the case wants. */
function assertAnswer(wanted: Case, { status, fields, told }: Answer): void {
  const { status: statuses = 200, from, reaches = {}, reply = {}, replyWithout = [], leads } = wanted
  assert.ok(([] as number[]).concat(statuses).includes(status), `${status} for ${String(statuses)}`)
  if (from !== undefined) assert.equal(told?.service, from)
  if (told !== null) assertRequest(wanted, reaches, told)
  for (const [name, value] of Object.entries(reply)) {
    const plain = (text: string): string => text.replaceAll(' ', '')
    const values = ([] as string[]).concat(value).map(plain)
    assert.ok(values.includes(plain(fields.get(name) ?? '')), `${name}: ${fields.get(name)}`)
  }
  for (const name of replyWithout) assert.equal(fields.get(name), undefined, name)
  if (leads !== undefined) assertRedirect(wanted, leads, fields.get('location') ?? '')
}

/** What is not said is as it was asked. */
function assertRequest({ ask: what, host }: Case, reaches: NonNullable<Case['reaches']>, told: Told): void {
  assert.equal(told.path, reaches.path ?? what.split(' ')[1])
  if (reaches.host !== undefined || host !== undefined) assert.equal(told.host, reaches.host ?? host)
  for (const [name, value] of Object.entries(reaches.headers ?? {}))
    assert.equal(([] as string[]).concat(told.headers[name.toLowerCase()] ?? []).join(','), value, name)
  for (const name of reaches.without ?? []) assert.equal(told.headers[name], undefined, name)
}

/** A port that is that of the scheme need not be said. */
function assertRedirect(
  { ask: what, host = 'gateway.example', sni, at = '' }: Case,
  leads: NonNullable<Case['leads']>,
  location: string,
): void {
  const own = sni !== undefined || at.includes('https') ? 'https' : 'http'
  const url = new URL(location, `${own}://${host}`)
  assert.equal(url.protocol, `${leads.scheme ?? own}:`)
  assert.equal(url.hostname, leads.host ?? host)
  assert.equal(url.port, leads.port ?? '')
  assert.equal(url.pathname, leads.path ?? what.split(' ')[1])
}

/** Asks as often as the case wants, and asserts how the requests were divided. */
async function run(wanted: Case, peer: Peer): Promise<void> {
  const { times = 1, shares, ownName } = wanted
  const counts = new Map<string, number>()
  for (let i = 0; i < times; i++) {
    const answer = await ask(peer, wanted)
    assertAnswer(wanted, answer)
    const service = answer.told?.service ?? ''
    counts.set(service, (counts.get(service) ?? 0) + 1)
    if (ownName !== undefined) assert.deepEqual(answer.told?.headers[ownName], [`infra-backend-${service}`])
  }
  for (const [name, share] of Object.entries(shares ?? {}))
    assert.ok(Math.abs((counts.get(name) ?? 0) / times - share) < 0.05, `${name}: ${counts.get(name)} of ${times}`)
}

interface Difference {
  readonly cases: readonly number[]
  readonly why: string
  /** Those that depend on time, so that they may come out as the suite wants it on a slow machine. */
  readonly timed?: readonly number[]
}

/** What does not come out as the suite wants it, and why: group -> cases, from 0. */
const DIFFERENT: Readonly<Record<string, Difference>> = {
  cors: {
    cases: [13, 15],
    why: 'credentials of every origin would let every site act for its visitors, and the Fetch standard forbids the wildcard',
  },
  'https-listener-detect-misdirected-requests': {
    cases: [1, 4, 5, 8, 9, 10, 12],
    why: 'one certificate is for the names of all listeners, so that it was shown for each of them; names are not bound to listeners',
  },
  retry: {
    cases: [0, 3, 5, 7, 9],
    why: 'a request is sent again to another instance only, and there is one; never after 504',
  },
  'retry-connection-error': { cases: [0, 1], why: 'there is no other instance; a connection that was reset is 502' },
  'retry-with-timeouts': {
    cases: [0, 2, 3],
    why: 'there is no other instance, and nothing is sent again after a time-out',
    timed: [3],
  },
}

let passed = 0

for (const group of groups) {
  const different = DIFFERENT[group.name]
  test(`${group.name}: ${group.cases.length} cases of the Gateway API`, async (t) => {
    const gateway = await setUp(t, group)
    const failed: number[] = []
    for (const [i, wanted] of group.cases.entries()) {
      gateway.services.begin(wanted)
      const peer = await gateway.connect(wanted)
      try {
        await run(wanted, peer)
        for (const [name, count] of Object.entries(wanted.mirrored ?? {})) await gateway.services.copied(name, count)
        if (different?.timed?.includes(i) === true) failed.push(i)
        else passed++
      } catch (error) {
        if (!(error instanceof assert.AssertionError)) throw error
        t.diagnostic(`${i}: ${wanted.ask} ${wanted.host ?? ''}: ${error.message}`)
        failed.push(i)
      }
      peer.socket.destroy()
    }
    assert.deepEqual(failed, different?.cases ?? [])
  })
}

test('the number of cases that behave as the Gateway API requires is known', () => {
  const all = groups.flatMap(({ cases }) => cases).length
  assert.deepEqual({ passed, all }, { passed: 251, all: 270 })
})
