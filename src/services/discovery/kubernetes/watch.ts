import { messageOf } from '../../../core/error-facts.ts'
import type { Toolbox } from '../../../core/toolbox.ts'
import { fieldOf, itemsOf } from '../../../core/value.ts'
import type { Access } from './access.ts'
import { ApiError, askOnce, follow } from './api.ts'
import { parseSlice, type Slice } from './slices.ts'

/** Page size of list requests, and the maximum number of slices in total. */
const PAGE = 500
const MAX = 2_000
/** How long the server is asked to keep a watch open, in seconds, plus or minus a tenth. */
const LASTING = 300
/** Maximum silence of a watch, in milliseconds: servers send something about once a minute (bookmarks). */
const TIMEOUT = 150_000
/** The shortest and longest delay after a failure, in milliseconds; doubled each time. */
const MIN_PAUSE = 1_000
const MAX_PAUSE = 30_000
/** Number of consecutive failures after which all slices are listed again. */
const IN_VAIN = 3

/** Receives the slices of a Service. */
export interface SliceListener {
  /** Reports the complete set of slices. */
  known(slices: Iterable<Slice>): void
  /** The slices cannot be watched, for that reason. */
  failed(reason: string): void
}

export interface SliceWatchOptions extends Toolbox {
  readonly service: string
  readonly access: () => Promise<Access>
}

/**
 * Watches the EndpointSlices of one Service: lists all of them, then follows changes from there, and lists them again if the server no
 * longer knows the resource version. Known slices stay in effect until they are replaced.
 */
export class SliceWatch {
  private readonly options: SliceWatchOptions
  private readonly listeners = new Set<SliceListener>()
  private readonly stopped = new AbortController()
  /** By name; null before the first list. */
  private slices: Map<string, Slice> | null = null
  /** The latest resource version received from the server; null if all slices must be listed. */
  private version: string | null = null
  private failures = 0
  private problem: string | null = null
  private running = false

  constructor(options: SliceWatchOptions) {
    this.options = options
  }

  /** Reports the known slices and all changes to the listener until the returned function is called. */
  add(listener: SliceListener): () => void {
    this.listeners.add(listener)
    if (this.slices !== null) listener.known(this.slices.values())
    if (this.problem !== null) listener.failed(this.problem)
    if (!this.running) void this.run()
    return () => void this.listeners.delete(listener)
  }

  /** Stops watching for good. */
  close(): void {
    this.listeners.clear()
    this.stopped.abort()
  }

  private async run(): Promise<void> {
    const { clock } = this.options
    this.running = true
    while (!this.over) {
      const begun = clock.now()
      try {
        const access = await this.options.access()
        if (this.version === null) await this.list(access)
        await this.watch(access, this.version ?? '')
        // Something closes watches immediately, so pause to avoid a busy loop.
        if (clock.now() - begun < MIN_PAUSE) await this.pause(this.jittered(MIN_PAUSE))
        else this.failures = 0
      } catch (error) {
        if (this.over) return
        await this.fail(error)
      }
    }
  }

  private get over(): boolean {
    return this.stopped.signal.aborted
  }

  private async list(access: Access): Promise<void> {
    const slices = new Map<string, Slice>()
    let page = ''
    let version: unknown
    do {
      const answer = await askOnce(this.ask(access, `limit=${PAGE}${page}`))
      for (const object of itemsOf(fieldOf(answer, 'items'))) {
        const slice = parseSlice(object)
        if (slice !== null) slices.set(slice.name, slice)
      }
      if (slices.size > MAX) throw new Error(`it has more than ${MAX} EndpointSlices`)
      const metadata = fieldOf(answer, 'metadata')
      const next = fieldOf(metadata, 'continue')
      version = fieldOf(metadata, 'resourceVersion')
      page = typeof next === 'string' && next !== '' ? `&continue=${encodeURIComponent(next)}` : ''
    } while (page !== '')
    if (typeof version !== 'string' || version === '')
      throw new Error('the response is not a list of the Kubernetes API')
    this.slices = slices
    this.version = version
    this.publish()
  }

  private async watch(access: Access, version: string): Promise<void> {
    const seconds = Math.round(this.jittered(LASTING))
    const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${encodeURIComponent(version)}&timeoutSeconds=${seconds}`
    await follow(this.ask(access, query), {
      opened: () => this.publish(),
      onEvent: (event) => this.take(event),
      timeout: TIMEOUT,
    })
  }

  private take(event: unknown): void {
    const [type, object] = [fieldOf(event, 'type'), fieldOf(event, 'object')]
    if (type === 'ERROR') {
      this.version = null
      throw statusOf(object)
    }
    const version = fieldOf(fieldOf(object, 'metadata'), 'resourceVersion')
    if (typeof type !== 'string' || typeof version !== 'string')
      throw new Error('the response is not an event of the Kubernetes API')
    const slice = type === 'BOOKMARK' ? null : parseSlice(object)
    if (slice !== null && type === 'DELETED') this.slices?.delete(slice.name)
    else if (slice !== null) this.slices?.set(slice.name, slice)
    this.version = version
    this.failures = 0
    this.publish()
  }

  private publish(): void {
    const { slices } = this
    if (slices === null) return
    this.problem = null
    for (const listener of this.listeners) listener.known(slices.values())
  }

  private async fail(error: unknown): Promise<void> {
    const refused = error instanceof ApiError ? error : null
    const gone = refused?.status === 410
    this.failures++
    // If replies repeatedly cannot be processed, listing all slices again may help.
    if (gone || (refused === null && this.failures >= IN_VAIN)) this.version = null
    // The resource version has expired on the server, as happens when little changes; this is not a problem.
    if (gone && this.failures === 1) return
    this.problem = reasonOf(error)
    for (const listener of this.listeners) listener.failed(this.problem)
    const wait = Math.min(MIN_PAUSE * 2 ** (this.failures - 1), MAX_PAUSE)
    await this.pause(Math.max(this.jittered(wait), Math.min(refused?.wait ?? 0, MAX_PAUSE)))
  }

  private ask(access: Access, query: string) {
    const { service, clock } = this.options
    const label = encodeURIComponent(`kubernetes.io/service-name=${service}`)
    const path = `/apis/discovery.k8s.io/v1/namespaces/${access.namespace}/endpointslices?labelSelector=${label}&${query}`
    return { access, path, clock, signal: this.stopped.signal }
  }

  private jittered(value: number): number {
    return value * (0.9 + 0.2 * this.options.random())
  }

  private pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.options.clock.after(ms, resolve)
    const { signal } = this.stopped
    const end = (): void => resolve()
    signal.addEventListener('abort', end)
    return promise.finally(() => {
      cancel()
      signal.removeEventListener('abort', end)
    })
  }
}

/** The error in an ERROR event. */
function statusOf(status: unknown): ApiError {
  const [code, message] = [fieldOf(status, 'code'), fieldOf(status, 'message')]
  return new ApiError(typeof code === 'number' ? code : 0, typeof message === 'string' ? message : 'the watch failed')
}

function reasonOf(error: unknown): string {
  const message = messageOf(error)
  if (!(error instanceof ApiError)) return message
  if (error.status === 401) return `${message} (the API server does not accept the token)`
  if (error.status === 403) return `${message} (a Role must allow get, list and watch of endpointslices)`
  return message
}
