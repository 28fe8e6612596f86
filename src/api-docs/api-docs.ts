import { posix } from 'node:path'
import { ownPaths } from '../config/endpoints-schema.ts'
import type { GatewayConfig } from '../config/schema.ts'
import type { DocsObject } from '../policies/policy-docs.ts'
import type { Clock } from '../core/clock.ts'
import { messageOf } from '../core/error-facts.ts'
import { SingleFlight } from '../core/single-flight.ts'
import { TimeSlices } from '../core/time-slices.ts'
import type { Policy } from '../policies/policy.ts'
import type { ServiceReply, ServiceRequest } from '../http/service-request.ts'
import { GatewayError } from '../core/errors.ts'
import type { Handler } from '../http/handler.ts'
import { Headers } from '../http/headers.ts'
import type { Logger } from '../core/logger.ts'
import { Reply } from '../http/reply.ts'
import { describedApis } from './described.ts'
import { apiDocument } from './document.ts'
import { loadDocsPage } from './page.ts'
import { Places } from './places.ts'
import { Representation } from './representation.ts'
import type { ServiceApi } from './service-api.ts'
import { ServiceDocuments } from './service-documents.ts'

/** The parts of one of the gateway's own endpoints that are documented. */
export interface OwnEndpoint {
  readonly path: string
  /** Its Path Item Object; endpoints without one are not shown. */
  readonly docs?: DocsObject
}

/** An endpoint that serves the documentation. */
export interface DocsEndpoint {
  readonly path: string
  readonly handler: Handler
}

export interface ApiDocsOptions {
  readonly config: GatewayConfig
  /** All policies that routes may have, in the order of the chain. */
  readonly policies: readonly Policy[]
  /** Other endpoints of the gateway itself. */
  readonly own: readonly OwnEndpoint[]
  readonly callService: (service: string, request: ServiceRequest) => Promise<ServiceReply>
  readonly clock: Clock
  readonly log: Logger
  /** Where problems with the documents of services are logged, which all workers find alike. */
  readonly documentsLog: Logger
}

/** The documentation of everything that clients can reach: one OpenAPI document, and a page that shows it. */
export class ApiDocs {
  private readonly options: ApiDocsOptions
  private readonly places: Places
  private readonly documents: ServiceDocuments
  /** Created on demand, and then kept until something changes. */
  private written: Representation | null = null
  private described: ReadonlyMap<string, ServiceApi> | null = null
  private readonly writing = new SingleFlight<Representation>()

  /** Keeps the documents of services that `before`, those of the previous configuration, has fetched. */
  constructor(options: ApiDocsOptions, before: ApiDocs | null = null) {
    this.options = options
    const { config, callService, clock, documentsLog: log } = options
    this.places = new Places(
      config.routes,
      ownPaths(config.endpoints).map(({ path }) => path),
    )
    const used = new Set(config.routes.map(({ service }) => service))
    const paths = new Map(
      Object.entries(config.services).flatMap(([name, { openapi }]) =>
        openapi !== false && used.has(name) ? [[name, openapi] as const] : [],
      ),
    )
    const changed = (): void => {
      this.written = null
      this.writing.forget()
    }
    const { refresh } = config.docs
    this.documents = new ServiceDocuments(
      { paths, refresh, places: this.places, callService, clock, log, changed },
      before?.documents,
    )
  }

  /** Starts fetching the documents of the services. */
  start(): void {
    this.documents.start()
  }

  stop(): void {
    this.documents.stop()
  }

  /** The endpoints that serve the document. */
  document(): DocsEndpoint[] {
    const { openapi } = this.options.config.endpoints
    if (openapi === false) return []
    const handler: Handler = (exchange) =>
      this.written?.answer(exchange) ?? this.current().then((current) => current.answer(exchange))
    return [{ path: openapi, handler }]
  }

  /** The endpoints that serve the page. Throws an Error if its files are missing. */
  page(): DocsEndpoint[] {
    const { docs, endpoints } = this.options.config
    const { docs: page, openapi } = endpoints
    if (page === false || openapi === false) return []
    const { html, files } = loadDocsPage(docs.title, page, openapi)
    return [
      { path: page, handler: (exchange) => html.answer(exchange) },
      // Relative, as a proxy in front of the gateway may have added a prefix to the path.
      {
        path: `${page}/`,
        handler: () => new Reply(308, Headers.of([['Location', `../${posix.basename(page)}`]]), null),
      },
      {
        path: `${page}/{file}`,
        handler: (exchange) => {
          const file = files.get(exchange.params['file'] ?? '')
          if (file === undefined) throw new GatewayError('not-found', 'The page has no such file.')
          return file.answer(exchange)
        },
      },
    ]
  }

  /** Concurrent callers share one result. */
  private current(): Promise<Representation> {
    return this.writing.join('', () => this.write())
  }

  /** What the policies say about the operations that they define: constant for a configuration. */
  private async describe(slices: TimeSlices): Promise<ReadonlyMap<string, ServiceApi>> {
    if (this.described !== null) return this.described
    const { config, policies, log } = this.options
    try {
      this.described = await slices.run(describedApis(config.routes, policies, this.places))
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'The operations of policies cannot be documented, and are left out')
      this.described = new Map()
    }
    return this.described
  }

  private async write(): Promise<Representation> {
    const { config, policies, own, clock } = this.options
    const slices = new TimeSlices(clock)
    await this.places.read(slices)
    await this.documents.adopted
    const { apis } = this.documents
    const sources = {
      docs: config.docs,
      services: Object.keys(config.services),
      places: this.places,
      policies,
      apis,
      described: await this.describe(slices),
      own: own.flatMap(({ path, docs }) => (docs === undefined ? [] : [{ path, item: docs }])),
    }
    const written = new Representation(await slices.run(apiDocument(sources)), [
      ['Content-Type', 'application/json'],
      ['Cache-Control', 'no-cache'],
      ['X-Content-Type-Options', 'nosniff'],
    ])
    // Otherwise it has become outdated in the meantime, and is created again for the next request.
    if (apis === this.documents.apis) this.written = written
    return written
  }
}
