import { present } from '../core/present.ts'
import type { Clock } from '../core/clock.ts'
import { TimeSlices } from '../core/time-slices.ts'
import type { ServiceReply, ServiceRequest } from '../http/service-request.ts'
import { messageOf } from '../core/error-facts.ts'
import { GatewayError } from '../core/errors.ts'
import { Headers } from '../http/headers.ts'
import type { Logger } from '../core/logger.ts'
import { BrokenDocument, NoDocument } from './broken.ts'
import type { Places } from './places.ts'
import { readServiceApi, type ServiceApi } from './service-api.ts'

/** Timeout for fetching a document, in milliseconds. */
const TIMEOUT = 5000
/** Statuses of services without a document: not found, no GET, or only gRPC calls. */
const NONE: ReadonlySet<number> = new Set([404, 405, 415])
const CALL = /^application\/grpc\b/i
/** Most bytes of a document. */
const MAX_SIZE = 4 * 1024 * 1024

export interface ServiceDocumentsOptions {
  /** Service -> path of its document. */
  readonly paths: ReadonlyMap<string, string>
  /** Milliseconds between two fetches. */
  readonly refresh: number
  readonly places: Places
  readonly callService: (service: string, request: ServiceRequest) => Promise<ServiceReply>
  readonly clock: Clock
  readonly log: Logger
  /** Called when a document has changed. */
  readonly changed: () => void
}

/** What is known about the document of one service. */
interface Known {
  etag: string | null
  text: string
  pending: boolean
  /** Whether the last attempt failed, which has already been logged. */
  failing: boolean
}

/** The services' own documents: fetched in the background; the last valid one of each is kept. */
export class ServiceDocuments {
  /** By service, in the order of the configuration. */
  apis: ReadonlyMap<string, ServiceApi> = new Map()
  private readonly options: ServiceDocumentsOptions
  private readonly known: Map<string, Known>
  private readonly stopping = new AbortController()
  private stopTimer: (() => void) | null = null
  /** Resolves when the documents of the previous configuration have been read. Never rejects. */
  adopted: Promise<void> = Promise.resolve()

  /** Takes over the documents that `before`, those of the previous configuration, has fetched from the same paths. */
  constructor(options: ServiceDocumentsOptions, before: ServiceDocuments | null = null) {
    this.options = options
    this.known = new Map(
      Array.from(options.paths, ([service, path]) => [service, before?.of(service, path) ?? nothing()]),
    )
  }

  /** Reads those of the previous configuration, fetches all of them, and then does so periodically. */
  start(): void {
    this.adopted = this.adopt()
    // Not before: what was read last would count, not what was fetched last.
    void this.adopted.then(() => {
      if (this.stopping.signal.aborted) return
      this.stopTimer = this.options.clock.every(this.options.refresh, () => void this.refresh())
      void this.refresh()
    })
  }

  private of(service: string, path: string): Known | null {
    const known = this.known.get(service)
    return known === undefined || this.options.paths.get(service) !== path ? null : { ...known, pending: false }
  }

  /** Reads them again, because their operations may have other places now. */
  private async adopt(): Promise<void> {
    const { clock, places } = this.options
    const slices = new TimeSlices(clock)
    for (const [service, known] of this.known) {
      if (known.text === '') continue
      try {
        await places.read(slices)
        if (this.stopping.signal.aborted) return
        this.take(service, await slices.run(readServiceApi(known.text, service, places)))
      } catch {
        // It is fetched anyway, and then the reason is logged.
        this.known.set(service, nothing())
      }
    }
  }

  /** Stops fetching, and waits for no pending reply. */
  stop(): void {
    this.stopTimer?.()
    this.stopping.abort()
  }

  /** In slices, as there may be a thousand services. Never rejects. */
  private async refresh(): Promise<void> {
    const slices = new TimeSlices(this.options.clock)
    for (const [service, known] of this.known) {
      if (slices.over) await slices.next()
      if (known.pending || this.stopping.signal.aborted) continue
      known.pending = true
      void this.update(service, known)
    }
  }

  /** Never rejects. */
  private async update(service: string, known: Known): Promise<void> {
    try {
      await this.load(service, known)
      if (known.failing) this.options.log.info({ service }, 'The documentation of a service can be read')
      known.failing = false
    } catch (error) {
      if (this.stopping.signal.aborted) return
      if (!known.failing) known.failing = this.report(service, error)
    } finally {
      known.pending = false
    }
  }

  /** Whether the error was logged. An unreachable service is already reported by the health checks, once for all workers. */
  private report(service: string, error: unknown): boolean {
    const { log, paths } = this.options
    const fields = { service, path: paths.get(service) }
    if (error instanceof GatewayError && error.code === 'service-unavailable') return false
    if (error instanceof NoDocument) log.info(fields, 'A service has no documentation')
    else log.warn({ ...fields, error: messageOf(error) }, 'The documentation of a service cannot be read')
    return true
  }

  private async load(service: string, known: Known): Promise<void> {
    const { callService, paths, places, clock, log } = this.options
    const headers = Headers.of([['Accept', 'application/json']])
    if (known.etag !== null) headers.append('If-None-Match', known.etag)
    const target = present(paths.get(service), `path of the document of ${service}`)
    const { signal } = this.stopping
    const request = { method: 'GET', target, headers, body: null, timeout: TIMEOUT, limit: MAX_SIZE, signal }
    const reply = await callService(service, request)
    if (reply.status === 304) return
    if (known.text === '' && hasNone(reply)) throw new NoDocument('does not exist')
    if (reply.status !== 200) throw new BrokenDocument(`was answered with status ${reply.status}`)
    const text = reply.body.toText()
    if (text === known.text) return
    const slices = new TimeSlices(clock)
    await places.read(slices)
    const api = await slices.run(readServiceApi(text, service, places))
    known.text = text
    known.etag = reply.headers.get('ETag') ?? null
    log.debug({ service, operations: api.operations.length }, 'The documentation of a service has changed')
    this.take(service, api)
  }

  private take(service: string, api: ServiceApi): void {
    const { paths, changed } = this.options
    const apis = new Map(this.apis).set(service, api)
    this.apis = new Map(
      [...paths.keys()].flatMap((name) => {
        const read = apis.get(name)
        return read === undefined ? [] : [[name, read] as const]
      }),
    )
    changed()
  }
}

function nothing(): Known {
  return { etag: null, text: '', pending: false, failing: false }
}

function hasNone({ status, headers }: ServiceReply): boolean {
  return NONE.has(status) || CALL.test(headers.get('Content-Type') ?? '')
}
