import { mkdir, writeFile } from 'node:fs/promises'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { buffer } from 'node:stream/consumers'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { BackendPorts } from './backend.ts'
import { makeCertificate } from './certificate.ts'
import { proxyCore, start, stop, type Child } from './children.ts'
import type { Request } from './loads/load.ts'
import type { Peer } from './peers/peer.ts'
import type { Scenario } from './scenarios/scenario.ts'

/** A running proxy that has answered the scenario's request correctly. */
export type Proxy = {
  peer: Peer
  child: Child
  origin: string
  dir: string
}

const startSeconds = 30

/** Starts the peer for the scenario; if it does not answer like the service, stops it and throws. */
export async function startProxy(
  peer: Peer,
  scenario: Scenario,
  backend: BackendPorts,
  parent: string,
  redisPort?: number,
): Promise<Proxy> {
  const dir = join(parent, `${scenario.name}-${peer.name.replaceAll(/\W+/g, '-')}`)
  await mkdir(dir, { recursive: true })
  const port = await freePort()
  const stores = redisPort === undefined ? {} : { stores: { redis: { url: `redis://127.0.0.1:${redisPort}` } } }
  const log = scenario.accessLog === true ? { log: { file: join(dir, 'access.log') } } : {}
  const sallyport = { ...scenario.sallyport, ...stores, ...log }
  const certificate = scenario.tls === undefined ? undefined : makeCertificate(scenario.tls, dir)
  const http2 = scenario.http2 === true
  const http2Service = scenario.http2Service === true
  const backendPort = http2Service ? backend.http2 : backend.http1
  const adminPort = await freePort()
  const files = scenario.files === undefined ? undefined : await writeFiles(join(dir, 'files'), scenario.files)
  const place = { certificate, files, http2, http2Service, port, adminPort, backendPort, dir, sallyport }
  const child = start(await peer.prepare(place), proxyCore)
  const origin = `${certificate === undefined ? 'http' : 'https'}://127.0.0.1:${port}`
  try {
    await firstAnswer(origin, scenario, child)
    return { peer, child, origin, dir }
  } catch (error) {
    await stop(child)
    throw error
  }
}

async function writeFiles(folder: string, files: Record<string, number>): Promise<string> {
  await mkdir(folder)
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), Buffer.alloc(bytes, 'x'))
  return folder
}

/** Waits until the origin answers the scenario's request, then checks the status and the size of the body. */
async function firstAnswer(origin: string, scenario: Scenario, child: Child): Promise<void> {
  const answer = await whenListening(
    () => (scenario.http2 === true ? sendHttp2 : send)(origin, scenario.request),
    child,
  )
  if (answer.status === 200 && answer.bytes === scenario.replyBytes) return
  throw new Error(`answered ${answer.status} with ${answer.bytes} bytes; expected 200 with ${scenario.replyBytes}`)
}

/** Asks the system for a free port. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('no free TCP port on 127.0.0.1')
  return address.port
}

/** Repeats the attempt until it succeeds; throws an error with the child's output if the child exits or takes longer than 30 s. */
export async function whenListening<T>(attempt: () => Promise<T>, child: Child): Promise<T> {
  const deadline = performance.now() + startSeconds * 1000
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const ended = await Promise.race([child.exited.then(() => true), delay(100, false)])
      if (ended) throw new Error(`ended while starting: ${lastLines(child.output())}`, { cause: error })
      if (performance.now() > deadline) throw new Error(`did not listen within ${startSeconds} s`, { cause: error })
    }
  }
}

async function send(
  origin: string,
  { method, path, headers, body }: Request,
): Promise<{ status: number; bytes: number }> {
  const length = body === undefined ? {} : { 'Content-Length': body }
  const options = { method, headers: { ...headers, ...length }, agent: false, rejectUnauthorized: false }
  const request = (origin.startsWith('https:') ? httpsRequest : httpRequest)(origin + path, options)
  const answered = new Promise<{ status: number; bytes: number }>((resolve, reject) => {
    request.on('error', reject)
    request.on('response', (response) => {
      const whole = buffer(response)
      whole.then(({ length: bytes }) => resolve({ status: response.statusCode ?? 0, bytes }), reject)
    })
  })
  request.end(Buffer.alloc(body ?? 0, 'x'))
  return answered
}

function sendHttp2(
  origin: string,
  { method, path, headers, body }: Request,
): Promise<{ status: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    const session = connect(origin, { rejectUnauthorized: false })
    session.on('error', reject)
    const request = session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined })
    let status = 0
    request.on('response', (fields) => {
      status = fields[':status'] ?? 0
    })
    request.on('error', reject)
    buffer(request).then(({ length: bytes }) => {
      session.destroy()
      resolve({ status, bytes })
    }, reject)
    if (body !== undefined) request.end(Buffer.alloc(body, 'x'))
  })
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-8).join(' | ').slice(-600)
}
