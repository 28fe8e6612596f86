import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request as requestTls } from 'node:https'
import { connect as connectHttp2 } from 'node:http2'
import type { Readable } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { bytes, digest } from './support/bytes.ts'
import { cleanUp } from './support/cleanup.ts'
import { proxyTo, startGateway } from './support/gateway.ts'
import { startService } from './support/service.ts'
import { authority, tlsListeners, writeLeaf } from './support/tls.ts'

const content = bytes(3_000_000)
/** Bytes per write of the service: below and above what the gateway passes on without a copy. */
const PIECES = [9_000, 40_000, 200_000]
/** How many turns of the event loop a client waits after each chunk: read buffers are in use for that long. */
const PACES = [0, 3, 20]

/** Replies with the part of the content named in the path, in pieces, with or without a length. */
async function startBodies(t: TestContext): Promise<string> {
  const { url } = await startService(t, ({ url: path = '' }, response) => {
    const [, framing, start, end, piece] = path.split('/')
    const body = content.subarray(Number(start), Number(end))
    if (framing === 'length') response.setHeader('Content-Length', body.length)
    const write = (at: number): void => {
      if (at >= body.length) return void response.end()
      const next = at + Number(piece)
      if (response.write(body.subarray(at, next))) setImmediate(write, next)
      else response.once('drain', () => write(next))
    }
    write(0)
  })
  return url
}

/** The digest of what arrives, for a client that is in no hurry. */
async function digestOf(stream: Readable, pace: number): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of stream) {
    hash.update(chunk as Buffer)
    for (let i = 0; i < pace; i++) await turn()
  }
  return hash.digest('hex')
}

type Get = (path: string) => Promise<Readable>

function overHttp1(t: TestContext, port: number): Get {
  const agent = new Agent({ keepAlive: true, ca: authority.cert })
  cleanUp(t, () => agent.destroy())
  return async (path) => {
    const sent = requestTls({ host: '127.0.0.1', port, servername: 'localhost', agent, path })
    sent.end()
    const [reply] = (await once(sent, 'response')) as [Readable]
    return reply
  }
}

function overHttp2(t: TestContext, port: number): Get {
  const session = connectHttp2(`https://localhost:${port}`, { ca: authority.cert })
  cleanUp(t, () => session.destroy())
  return (path) => Promise.resolve(session.request({ ':path': path }))
}

for (const [protocol, open] of [
  ['HTTP/1.1', overHttp1],
  ['HTTP/2', overHttp2],
] as const)
  test(`large bodies arrive unchanged over TLS and ${protocol}, however fast clients read`, async (t) => {
    const url = await startBodies(t)
    const { port } = await startGateway(t, { ...proxyTo(url), ...tlsListeners([writeLeaf(t, authority.issue())]) })
    const get = open(t, port)
    const cases = ['length', 'chunked'].flatMap((framing) =>
      PIECES.flatMap((piece, i) => PACES.map((pace, k) => ({ framing, piece, pace, start: 10_007 * (3 * i + k) }))),
    )
    await Promise.all(
      cases.map(async ({ framing, piece, pace, start }) => {
        for (const end of [start + 70_000, content.length - start]) {
          const arrived = await digestOf(await get(`/${framing}/${start}/${end}/${piece}`), pace)
          assert.equal(
            arrived,
            digest(content.subarray(start, end)),
            `${framing}, ${piece}, ${pace}, ${end - start} bytes`,
          )
        }
      }),
    )
  })
