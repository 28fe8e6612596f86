import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { json as readJson } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { cleanUp } from './cleanup.ts'

const GROUP = 'discovery.k8s.io'
const COLLECTION = /^\/apis\/discovery\.k8s\.io\/v1\/namespaces\/([^/]+)\/endpointslices(?:\/([^/]+))?$/

/** An EndpointSlice in the notation of tests. */
export interface TestSlice {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> }
  readonly addressType?: string
  readonly endpoints: readonly unknown[]
  readonly ports?: readonly unknown[] | null
}

interface Stored {
  readonly namespace: string
  readonly object: TestSlice & { readonly metadata: { readonly resourceVersion: string } }
}

interface Event {
  readonly version: number
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly stored: Stored
}

interface Watcher {
  readonly response: ServerResponse
  readonly namespace: string
  readonly selector: string
}

/** A received request. */
export interface Asked {
  readonly kind: 'list' | 'watch' | 'other'
  readonly path: string
  readonly query: URLSearchParams
  readonly authorization: string | undefined
}

/** A slice of one Service, whose endpoints have those addresses. */
export function slice(service: string, name: string, addresses: readonly string[], port = 8001): TestSlice {
  return {
    metadata: { name, labels: { 'kubernetes.io/service-name': service } },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
    })),
    ports: [{ name: 'http', port, protocol: 'TCP' }],
  }
}

/**
 * The parts of a Kubernetes API server that EndpointSlices need: paged lists, watches with bookmarks, resource versions that expire,
 * conflicts, refusals, and streams that break.
 */
export class ApiServer {
  readonly asked: Asked[] = []
  /** The required token; null for none. */
  token: string | null = null
  /** The reply to every request, instead of the regular one; null for none. */
  refusal: { readonly status: number; readonly message: string; readonly headers?: Record<string, string> } | null =
    null
  /** Requests get no reply at all. */
  silent = false
  private readonly server: Server
  private readonly stored = new Map<string, Stored>()
  private readonly events: Event[] = []
  private readonly watchers = new Set<Watcher>()
  private readonly lookers = new Set<() => void>()
  private version = 1000
  /** Events up to this one have been compacted. */
  private compacted = 0

  constructor(server: Server) {
    this.server = server
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.answer(request, response))
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** Creates the slice, or replaces the one with that name. */
  put(namespace: string, value: TestSlice): void {
    const key = `${namespace}/${value.metadata.name}`
    const version = ++this.version
    const metadata = { namespace, ...value.metadata, resourceVersion: String(version), uid: key }
    const object = { apiVersion: `${GROUP}/v1`, kind: 'EndpointSlice', ...value, metadata }
    const type = this.stored.has(key) ? 'MODIFIED' : 'ADDED'
    this.stored.set(key, { namespace, object })
    this.publish({ version, type, stored: { namespace, object } })
  }

  remove(namespace: string, name: string): void {
    const key = `${namespace}/${name}`
    const before = this.stored.get(key)
    if (before === undefined) return
    const version = ++this.version
    const object = { ...before.object, metadata: { ...before.object.metadata, resourceVersion: String(version) } }
    this.stored.delete(key)
    this.publish({ version, type: 'DELETED', stored: { namespace, object } })
  }

  /** Compacts all events so far: a request for what came after an older version gets 410. */
  compact(): void {
    this.version++
    this.compacted = this.version
    this.events.length = 0
  }

  /** Sends a bookmark to all watches. */
  bookmark(): void {
    const metadata = { resourceVersion: String(this.version) }
    this.write({ type: 'BOOKMARK', object: { kind: 'EndpointSlice', apiVersion: `${GROUP}/v1`, metadata } })
  }

  /** Sends an arbitrary line to all watches. */
  write(line: unknown): void {
    const text = typeof line === 'string' ? line : `${JSON.stringify(line)}\n`
    for (const { response } of this.watchers) response.write(text)
  }

  /** Ends all watches, orderly or by a reset. */
  end(how: 'orderly' | 'reset'): void {
    for (const { response } of this.watchers) {
      if (how === 'orderly') response.end()
      else response.socket?.resetAndDestroy()
    }
    this.watchers.clear()
  }

  get watching(): number {
    return this.watchers.size
  }

  /** Resolves once the condition is true; it is checked after each request. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => void this.lookers.add(resolve))
  }

  close(): void {
    this.server.closeAllConnections()
    this.server.close()
  }

  private publish(event: Event): void {
    this.events.push(event)
    for (const watcher of this.watchers) this.send(watcher, event)
  }

  private send({ response, namespace, selector }: Watcher, { type, stored }: Event): void {
    if (!matches(stored, namespace, selector)) return
    response.write(`${JSON.stringify({ type, object: stored.object })}\n`)
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://server')
    const { searchParams: query, pathname: path } = url
    const [, namespace = '', name] = COLLECTION.exec(path) ?? []
    const kind = namespace === '' || name !== undefined ? 'other' : query.has('watch') ? 'watch' : 'list'
    this.asked.push({ kind, path, query, authorization: request.headers.authorization })
    if (this.silent) return this.settle(() => {})
    if (this.refusal !== null) return this.settle(() => fail(response, this.refusal!))
    if (this.token !== null && request.headers.authorization !== `Bearer ${this.token}`)
      return this.settle(() => fail(response, { status: 401, message: 'Unauthorized' }))
    const document = DOCUMENTS[path]
    if (document !== undefined) return this.settle(() => json(response, 200, document))
    if (namespace === '') return this.settle(() => fail(response, { status: 404, message: 'not found' }))
    if (request.method === 'PUT') return this.replace(request, response, namespace, name ?? '')
    if (name !== undefined) return this.settle(() => this.get(response, namespace, name))
    if (kind === 'watch') return this.settle(() => this.watch(response, namespace, query))
    this.settle(() => this.list(response, namespace, query))
  }

  private settle(answer: () => void): void {
    answer()
    for (const look of this.lookers) look()
    this.lookers.clear()
  }

  private get(response: ServerResponse, namespace: string, name: string): void {
    const found = this.stored.get(`${namespace}/${name}`)
    if (found === undefined) return fail(response, { status: 404, message: `"${name}" not found` })
    json(response, 200, found.object)
  }

  private async replace(request: IncomingMessage, response: ServerResponse, namespace: string, name: string) {
    const value = (await readJson(request)) as TestSlice & Stored['object']
    const before = this.stored.get(`${namespace}/${name}`)
    this.settle(() => {
      const { resourceVersion } = value.metadata
      if (before === undefined) return fail(response, { status: 404, message: `"${name}" not found` })
      if (resourceVersion !== '' && resourceVersion !== before.object.metadata.resourceVersion)
        return fail(response, { status: 409, message: 'the object has been modified' })
      this.put(namespace, value)
      json(response, 200, this.stored.get(`${namespace}/${name}`)!.object)
    })
  }

  private list(response: ServerResponse, namespace: string, query: URLSearchParams): void {
    const selector = query.get('labelSelector') ?? ''
    const limit = Number(query.get('limit') ?? Infinity)
    const [from = 0, version = this.version] = (query.get('continue') ?? '').split('-').filter(Boolean).map(Number)
    if (version < this.compacted)
      return fail(response, { status: 410, message: 'The provided continue parameter is too old' })
    const all = [...this.stored.values()].filter((each) => matches(each, namespace, selector))
    const items = all.slice(from, from + limit).map(({ object }) => object)
    const more = from + limit < all.length
    const metadata = { resourceVersion: String(version), ...(more && { continue: `${from + limit}-${version}` }) }
    json(response, 200, { kind: 'EndpointSliceList', apiVersion: `${GROUP}/v1`, metadata, items })
  }

  private watch(response: ServerResponse, namespace: string, query: URLSearchParams): void {
    const since = Number(query.get('resourceVersion') ?? this.version)
    const watcher = { response, namespace, selector: query.get('labelSelector') ?? '' }
    response.writeHead(200, { 'Content-Type': 'application/json' })
    response.flushHeaders()
    if (since < this.compacted) {
      response.end(`${JSON.stringify({ type: 'ERROR', object: status(410, 'too old resource version') })}\n`)
      return
    }
    for (const event of this.events) if (event.version > since) this.send(watcher, event)
    this.watchers.add(watcher)
    response.on('close', () => this.watchers.delete(watcher))
  }
}

/** Runs until the end of the test. */
export async function startApiServer(t: TestContext, tls?: ServerOptions, port = 0): Promise<ApiServer> {
  const server = tls === undefined ? createServer() : createSecureServer(tls)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const api = new ApiServer(server)
  cleanUp(t, () => api.close())
  return api
}

function matches({ namespace, object }: Stored, expected: string, selector: string): boolean {
  if (namespace !== expected) return false
  const [label = '', value] = selector.split('=')
  return selector === '' || object.metadata.labels?.[label] === value
}

function status(code: number, message: string) {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', message, reason: REASONS[code], code }
}

const REASONS: Readonly<Record<number, string>> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
}

function fail(response: ServerResponse, { status: code, message, headers }: NonNullable<ApiServer['refusal']>): void {
  json(response, code, status(code, message), headers)
}

function json(response: ServerResponse, code: number, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(code, { 'Content-Type': 'application/json', ...headers })
  response.end(JSON.stringify(value))
}

const VERSION = { groupVersion: `${GROUP}/v1`, version: 'v1' }

/** Documents with which clients discover the API. */
const DOCUMENTS: Readonly<Record<string, unknown>> = {
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [] },
  '/apis': {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [{ name: GROUP, versions: [VERSION], preferredVersion: VERSION }],
  },
  [`/apis/${GROUP}/v1`]: {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: `${GROUP}/v1`,
    resources: [
      {
        name: 'endpointslices',
        singularName: 'endpointslice',
        namespaced: true,
        kind: 'EndpointSlice',
        verbs: ['get', 'list', 'update', 'watch'],
      },
    ],
  },
}
