import { LONGEST_DELAY } from '../../../core/clock.ts'
import { messageOf } from '../../../core/error-facts.ts'
import type { Toolbox } from '../../../core/toolbox.ts'
import { fieldOf, itemsOf } from '../../../core/value.ts'
import type { Access } from './access.ts'
import { ApiError, askOnce, follow } from './api.ts'
import { parseSlice, type Slice } from './slices.ts'

/** Slices that are asked for at once, and that are taken in all. */
const PAGE = 500
const MOST = 2_000
/** How long the server is to keep a watch open, in seconds, give or take a tenth. */
const LASTING = 300
/** How long nothing may come of one, in milliseconds: servers say something about once a minute (bookmarks). */
const PATIENCE = 150_000
/** The shortest and the longest pause after a failure, in milliseconds: doubled each time. */
const SHORTEST = 1_000
const LONGEST = 30_000
/** So many failures in a row until all slices are asked for again. */
const IN_VAIN = 3

/** Who is told of the slices of a Service. */
export interface SliceListener {
  /** Those are all there are. */
  known(slices: Iterable<Slice>): void
  /** They cannot be followed, for that reason. */
  failed(reason: string): void
}

export interface SliceWatchOptions extends Toolbox {
  readonly service: string
  readonly access: () => Promise<Access>
}

/**
 * Follows the EndpointSlices of one Service: asks for all of them, then for what changes from there on, and for all of them again where the
 * server does not remember how far it was. What is known stays until something else is.
 */
export class SliceWatch {
  private readonly options: SliceWatchOptions
  private readonly listeners = new Set<SliceListener>()
  private readonly stopped = new AbortController()
  /** By their names; null before the first list. */
  private slices: Map<string, Slice> | null = null
  /** How far the server was when it last said something; null where all have to be asked for. */
  private version: string | null = null
  private failures = 0
  private problem: string | null = null
  private running = false

  constructor(options: SliceWatchOptions) {
    this.options = options
  }

  /** Tells the listener of what is known, and of what becomes known, until the returned function is called. */
  add(listener: SliceListener): () => void {
    this.listeners.add(listener)
    if (this.slices !== null) listener.known(this.slices.values())
    if (this.problem !== null) listener.failed(this.problem)
    if (!this.running) void this.run()
    return () => void this.listeners.delete(listener)
  }

  /** Ends it for good. */
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
        // Whatever closes watches at once, it is not to be asked all the time.
        if (clock.now() - begun < SHORTEST) await this.pause(this.jittered(SHORTEST))
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
      if (slices.size > MOST) throw new Error(`it has more than ${MOST} EndpointSlices`)
      const metadata = fieldOf(answer, 'metadata')
      const next = fieldOf(metadata, 'continue')
      version = fieldOf(metadata, 'resourceVersion')
      page = typeof next === 'string' && next !== '' ? `&continue=${encodeURIComponent(next)}` : ''
    } while (page !== '')
    if (typeof version !== 'string' || version === '') throw new Error('the answer is no list of the Kubernetes API')
    this.slices = slices
    this.version = version
    this.tell()
  }

  private async watch(access: Access, version: string): Promise<void> {
    const seconds = Math.round(this.jittered(LASTING))
    const query = `watch=1&allowWatchBookmarks=true&resourceVersion=${encodeURIComponent(version)}&timeoutSeconds=${seconds}`
    await follow(this.ask(access, query), {
      opened: () => this.tell(),
      said: (event) => this.take(event),
      patience: PATIENCE,
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
      throw new Error('what came is no event of the Kubernetes API')
    const slice = type === 'BOOKMARK' ? null : parseSlice(object)
    if (slice !== null && type === 'DELETED') this.slices?.delete(slice.name)
    else if (slice !== null) this.slices?.set(slice.name, slice)
    this.version = version
    this.failures = 0
    this.tell()
  }

  private tell(): void {
    const { slices } = this
    if (slices === null) return
    this.problem = null
    for (const listener of this.listeners) listener.known(slices.values())
  }

  private async fail(error: unknown): Promise<void> {
    const refused = error instanceof ApiError ? error : null
    const gone = refused?.status === 410
    this.failures++
    // What is not understood again and again may be left behind by asking for all of them.
    if (gone || (refused === null && this.failures >= IN_VAIN)) this.version = null
    // The server remembers no further back, as happens where little changes: nothing is wrong.
    if (gone && this.failures === 1) return
    this.problem = reasonOf(error)
    for (const listener of this.listeners) listener.failed(this.problem)
    const wait = Math.min(SHORTEST * 2 ** (this.failures - 1), LONGEST)
    await this.pause(Math.max(this.jittered(wait), Math.min(refused?.wait ?? 0, LONGEST)))
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
    const cancel = this.options.clock.after(Math.min(ms, LONGEST_DELAY), resolve)
    const { signal } = this.stopped
    const end = (): void => resolve()
    signal.addEventListener('abort', end)
    return promise.finally(() => {
      cancel()
      signal.removeEventListener('abort', end)
    })
  }
}

/** What an ERROR event says. */
function statusOf(status: unknown): ApiError {
  const [code, message] = [fieldOf(status, 'code'), fieldOf(status, 'message')]
  return new ApiError(typeof code === 'number' ? code : 0, typeof message === 'string' ? message : 'the watch failed')
}

function reasonOf(error: unknown): string {
  const message = messageOf(error)
  if (!(error instanceof ApiError)) return message
  if (error.status === 401) return `${message} (the API server does not take the token)`
  if (error.status === 403) return `${message} (a Role has to allow get, list and watch of endpointslices)`
  return message
}
