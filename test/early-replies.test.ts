import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request } from 'node:http'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import test, { type TestContext } from 'node:test'
import { createSecureContext, TLSSocket } from 'node:tls'
import { startGateway } from './support/gateway.ts'
import { cleanUp } from './support/cleanup.ts'
import { startService } from './support/service.ts'
import { authority, leaf } from './support/tls-service.ts'

const MEGABYTE = 1024 * 1024
/** More than the kernel buffers for a peer that does not read, and than a client sends before it looks for a reply. */
const UPLOAD = Buffer.alloc(12 * MEGABYTE, 'x')
const TIMES = 5

/** How a client uploads; resolves with the status of the reply, or the error it got instead. */
type Client = (url: string) => Promise<number | string>

function upload(url: string, headers: Readonly<Record<string, string | number>>): Promise<number | string> {
  return new Promise((resolve) => {
    const outgoing = request(url, { method: 'POST', agent: false, headers }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', (error) => resolve(error.message))
    })
    outgoing.on('error', (error) => resolve(error.message))
    outgoing.write(UPLOAD.subarray(0, MEGABYTE))
    outgoing.end(UPLOAD.subarray(MEGABYTE))
  })
}

const CLIENTS: Readonly<Record<string, Client>> = {
  'node:http, length known': (url) => upload(url, { 'Content-Length': UPLOAD.length }),
  'node:http, chunked': (url) => upload(url, {}),
  'node:http, length known, Connection: close': (url) =>
    upload(url, { 'Content-Length': UPLOAD.length, Connection: 'close' }),
  'node:http, chunked, Connection: close': (url) => upload(url, { Connection: 'close' }),
  fetch: (url) =>
    fetch(url, { method: 'POST', body: UPLOAD }).then(
      async (response) => {
        await response.arrayBuffer()
        return response.status
      },
      (error: Error) => String(error.cause),
    ),
}

async function setUp(t: TestContext): Promise<string> {
  const service = await startService(t, (incoming, response) => {
    if (incoming.url === '/service') response.writeHead(403).end('no')
    else incoming.resume().on('end', () => response.end())
  })
  const large = { validation: { body: { limit: '100mb' } } as const }
  const { port } = await startGateway(t, {
    limits: { body: '1mb' },
    services: { backend: { instances: [service.url], health: false } },
    policies: { auth: { public: ['/limited', '/service'], methods: { 'api-key': { keys: [] } } } },
    routes: [
      { id: 'limited', match: { path: '/limited' }, service: 'backend' },
      { id: 'protected', match: { path: '/protected' }, service: 'backend', policies: large },
      { id: 'service', match: { path: '/service' }, service: 'backend', policies: large },
    ],
  })
  return `http://127.0.0.1:${port}`
}

for (const [what, path, status] of [
  ['413 from the gateway', '/limited', 413],
  ['401 from the gateway', '/protected', 401],
  ['403 from a service', '/service', 403],
] as const)
  for (const [name, client] of Object.entries(CLIENTS))
    test(`an early ${what} reaches every client during its upload (${name})`, async (t) => {
      const url = await setUp(t)
      const statuses: (number | string)[] = []
      for (let i = 0; i < TIMES; i++) statuses.push(await client(url + path))
      assert.deepEqual(statuses, Array<number>(TIMES).fill(status))
    })

const REPLY = 'HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig'

/** Ways to end the connection for services that reply when an upload starts, and do not read the rest. */
const ENDINGS: readonly (readonly [name: string, scheme: 'http' | 'https', serve: (socket: Socket) => void])[] = [
  [
    'closes with an unread upload, and so resets',
    'http',
    (socket) =>
      onUpload(socket, () => {
        socket.write(REPLY)
        setImmediate(() => socket.destroy())
      }),
  ],
  [
    'ends TLS and closes with an unread upload, and so resets',
    'https',
    (raw) => {
      const socket = secured(raw)
      onUpload(socket, () => {
        socket.end(REPLY)
        setImmediate(() => socket.destroy())
      })
    },
  ],
  [
    'resets the connection without ending TLS',
    'https',
    (raw) => {
      const socket = secured(raw)
      onUpload(socket, () => void socket.write(REPLY, () => raw.resetAndDestroy()))
    },
  ],
]

function secured(raw: Socket): Socket {
  raw.on('error', () => {})
  return new TLSSocket(raw, { isServer: true, secureContext: createSecureContext({ ...leaf }) })
}

function onUpload(socket: Socket, begun: () => void): void {
  socket.on('error', () => {})
  socket.once('data', () => {
    socket.pause()
    begun()
  })
}

for (const [ending, scheme, serve] of ENDINGS)
  for (const [name, client] of Object.entries(CLIENTS))
    test(`the reply of a service that ${ending} reaches its client (${name})`, async (t) => {
      const service = createServer(serve).listen(0, '127.0.0.1')
      await once(service, 'listening')
      cleanUp(t, () => service.close())
      const { port: servicePort } = service.address() as AddressInfo
      const instances = [`${scheme}://localhost:${servicePort}`]
      const { port } = await startGateway(t, {
        limits: { body: '100mb' },
        services: { backend: { instances, health: false, ...(scheme === 'https' && { tls: { ca: authority.cert } }) } },
        routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
      })
      const statuses: (number | string)[] = []
      for (let i = 0; i < TIMES; i++) statuses.push(await client(`http://127.0.0.1:${port}/`))
      assert.deepEqual(statuses, Array<number>(TIMES).fill(413))
    })
