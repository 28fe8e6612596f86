import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { Agent, createServer, request as requestTls } from 'node:https'
import { connect as connectHttp2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import test, { type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { GatewayInput } from '../src/gateway.ts'
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
const reply: RequestListener = ({ url: path = '' }, response) => {
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
}

type Start = (t: TestContext) => Promise<GatewayInput>

const beforeService: Start = async (t) => proxyTo((await startService(t, reply)).url)

const beforeTlsService: Start = async (t) => {
  const server = createServer(authority.issue(), reply).listen(0, '127.0.0.1')
  cleanUp(t, () => server.close().closeAllConnections())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return proxyTo(`https://localhost:${port}`, { service: { tls: { ca: authority.cert } } })
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
    const [response] = (await once(sent, 'response')) as [Readable]
    return response
  }
}

function overHttp2(t: TestContext, port: number): Get {
  const session = connectHttp2(`https://localhost:${port}`, { ca: authority.cert })
  cleanUp(t, () => session.destroy())
  return (path) => Promise.resolve(session.request({ ':path': path }))
}

for (const [protocol, service, open, behind] of [
  ['HTTP/1.1', 'a service', overHttp1, beforeService],
  ['HTTP/2', 'a service', overHttp2, beforeService],
  ['HTTP/1.1', 'a service with TLS', overHttp1, beforeTlsService],
  ['HTTP/2', 'a service with TLS', overHttp2, beforeTlsService],
] as const)
  test(`large bodies of ${service} arrive unchanged over TLS and ${protocol}, however fast clients read`, async (t) => {
    const config = { ...(await behind(t)), ...tlsListeners([writeLeaf(t, authority.issue())]) }
    const { port } = await startGateway(t, config)
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
