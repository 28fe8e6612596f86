import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Authority } from './certificates.ts'
import { cleanUp } from './cleanup.ts'
import { send } from './client.ts'
import { freePorts, until } from './redis.ts'

const HOST = '127.0.0.1'

/** An external account that pebble knows. */
export const externalAccount = {
  keyId: 'kid-1',
  hmacKey: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W',
}

export interface PebbleOptions {
  /** The port for http-01 validation. */
  readonly httpPort?: number
  /** The port for tls-alpn-01 validation. */
  readonly tlsPort?: number
  /** The validity of certificates in seconds. Default 5 years. */
  readonly validity?: number
  /** Whether it requires an external account. */
  readonly external?: boolean
  /** Percentage of nonces that it refuses. Default 30. */
  readonly refusedNonces?: number
  /** Whether it considers every challenge solved. */
  readonly alwaysValid?: boolean
}

/** A DNS server for tests, in which every name resolves to 127.0.0.1. */
export class TestDns {
  readonly port: number
  private readonly management: number

  constructor(port: number, management: number) {
    this.port = port
    this.management = management
  }

  /** What a hook would do; the name ends with a dot. */
  async setTxt(host: string, value: string): Promise<void> {
    await this.tell('/set-txt', { host, value })
  }

  async clearTxt(host: string): Promise<void> {
    await this.tell('/clear-txt', { host })
  }

  /** The URL of its management interface. */
  get url(): string {
    return `http://${HOST}:${this.management}`
  }

  private async tell(path: string, what: object): Promise<void> {
    const { status } = await send(this.management, { method: 'POST', path, body: JSON.stringify(what) })
    if (status !== 200) throw new Error(`${path}: ${status}`)
  }
}

/** An ACME server for tests: pebble in strict mode, which also refuses some nonces. */
export class Pebble {
  readonly directory: string
  /** PEM of the CA that signed the certificate of its own server. */
  readonly ca: string
  private readonly management: number
  private readonly run: () => ChildProcess
  private child: ChildProcess | null = null

  constructor(port: number, management: number, ca: string, run: () => ChildProcess) {
    this.directory = `https://${HOST}:${port}/dir`
    this.ca = ca
    this.management = management
    this.run = run
  }

  /** Starts it, without any accounts and with a new root; resolves when it answers. */
  async start(): Promise<void> {
    this.child = this.run()
    await until('pebble', () => this.ask('/roots/0').then(Boolean, () => false))
  }

  /** PEM of the root of the certificates that it issues. */
  root(): Promise<string> {
    return this.ask('/roots/0')
  }

  async kill(): Promise<void> {
    const { child } = this
    if (child === null || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  private ask(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const pending = request({ host: HOST, port: this.management, path, ca: this.ca, agent: false }, (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
        answer.on('end', () => resolve(text))
      })
      pending.on('error', reject)
      pending.end()
    })
  }
}

/** Starts a DNS server on a free port until the end of the test. */
export async function startDns(t: TestContext): Promise<TestDns> {
  const [port, management] = await freePorts(2)
  const places = ['-dns01', `${HOST}:${port}`, '-management', `${HOST}:${management}`]
  const none = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-defaultIPv6', '']
  const child = spawn('pebble-challtestsrv', [...places, ...none], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  cleanUp(t, async () => {
    child.kill('SIGKILL')
    await ended
  })
  const dns = new TestDns(port!, management!)
  await until('the DNS server', () =>
    dns.clearTxt('nobody.test.').then(
      () => true,
      () => false,
    ),
  )
  return dns
}

/** Starts pebble on free ports until the end of the test. */
export async function startPebble(t: TestContext, dns: TestDns, options: PebbleOptions = {}): Promise<Pebble> {
  const { httpPort = 1, tlsPort = 1, validity, external = false, refusedNonces = 30, alwaysValid = false } = options
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-pebble-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const [port, management] = await freePorts(2)
  const authority = new Authority()
  const { cert, key } = authority.issue()
  const [certificate, privateKey, file] = ['cert.pem', 'key.pem', 'pebble.json'].map((name) => join(folder, name))
  await writeFile(certificate!, cert)
  await writeFile(privateKey!, key)
  const pebble = {
    listenAddress: `${HOST}:${port}`,
    managementListenAddress: `${HOST}:${management}`,
    certificate,
    privateKey,
    httpPort,
    tlsPort,
    ...(validity !== undefined && { certificateValidityPeriod: validity }),
    externalAccountBindingRequired: external,
    externalAccountMACKeys: { [externalAccount.keyId]: externalAccount.hmacKey },
  }
  await writeFile(file!, JSON.stringify({ pebble }))
  const env = {
    ...process.env,
    PEBBLE_VA_NOSLEEP: '1',
    PEBBLE_AUTHZREUSE: '0',
    PEBBLE_WFE_NONCEREJECT: String(refusedNonces),
    ...(alwaysValid && { PEBBLE_VA_ALWAYS_VALID: '1' }),
  }
  const args = ['-strict', '-config', file!, '-dnsserver', `${HOST}:${dns.port}`]
  const server = new Pebble(port!, management!, authority.cert, () => spawn('pebble', args, { env, stdio: 'ignore' }))
  cleanUp(t, () => server.kill())
  await server.start()
  return server
}

/** The renewal information for a certificate that the CA wants renewed immediately (RFC 9773 section 4.2), and for one that can wait. */
export const DUE = { suggestedWindow: { start: '2026-01-01T00:00:00Z', end: '2026-01-02T00:00:00Z' } }
export const NOT_DUE = { suggestedWindow: { start: '2226-01-01T00:00:00Z', end: '2226-01-02T00:00:00Z' } }

/**
 * A CA that wraps that pebble and adds renewal information, which pebble does not provide: `said` is indexed by the order in which
 * certificates are first asked about. `asked` collects the ids of the certificates.
 */
export async function withRenewalInfo(
  t: TestContext,
  pebble: Pebble,
  said: (place: number) => object,
): Promise<{ asked: string[]; directory: string; ca: string }> {
  const requests: string[] = []
  const authority = new Authority()
  const ca = pebble.ca + authority.cert
  const server = createServer(authority.issue(), ({ url = '' }, response) => {
    const { port } = server.address() as AddressInfo
    const base = `https://${HOST}:${port}`
    if (url.startsWith('/ari/')) {
      const id = url.slice('/ari/'.length)
      if (!requests.includes(id)) requests.push(id)
      return void response.end(JSON.stringify(said(requests.indexOf(id))))
    }
    const question = request(pebble.directory, { ca, agent: false }, (answer) => {
      let text = ''
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
      answer.on('end', () => {
        response.end(JSON.stringify({ ...(JSON.parse(text) as object), renewalInfo: `${base}/ari` }))
      })
    })
    question.on('error', () => response.writeHead(502).end())
    question.end()
    return undefined
  })
  await new Promise<void>((resolve) => void server.listen(0, HOST, resolve))
  cleanUp(t, () => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  return { asked: requests, directory: `https://${HOST}:${port}/dir`, ca }
}
