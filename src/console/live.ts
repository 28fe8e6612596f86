import type { History, Versions, Window } from './events.ts'
import type { Request } from './answers.ts'
import { read, Refusal, send } from './client.ts'
import { windowsOf } from './history.ts'

/** How many windows are kept: a minute. */
const REMEMBERED = 60
/** Interval between two attempts to reconnect, in milliseconds. */
const AGAIN = 2000

/** The current state of the live statistics. */
export interface Live {
  /** The seconds of the last minute, oldest first. */
  readonly windows: readonly Window[]
  /** Upper bounds of the buckets, in seconds. */
  readonly bounds: readonly number[]
  /** Whether the event stream is connected; null before the first event. */
  readonly connected: boolean | null
  /** Counts the changes of configuration and health that were reported. */
  readonly changes: number
}

let live: Live = { windows: [], bounds: [], connected: null, changes: 0 }
const watchers = new Set<() => void>()
let ending: AbortController | null = null
let known = ''

/** The current live statistics. */
export function currentLive(): Live {
  return live
}

/** Calls `changed` on every update until the returned function is called; the event stream is open only while someone is watching. */
export function watchLive(changed: () => void): () => void {
  watchers.add(changed)
  if (ending === null) begin()
  return () => {
    watchers.delete(changed)
    if (watchers.size > 0) return
    ending?.abort()
    ending = null
  }
}

function begin(): void {
  const abort = new AbortController()
  ending = abort
  void follow('/events', abort.signal, {
    hello: ({ bounds, history, ...versions }) =>
      become({ bounds, windows: windowsOf(history), connected: true, changes: changesWith(versions) }),
    window: (window) =>
      become({ windows: [...live.windows.slice(1 - REMEMBERED), window], changes: changesWith(window) }),
    lost: () => become({ connected: false }),
  })
}

/** The number of changes, with the one that those versions tell of. */
function changesWith({ generation, health }: Versions): number {
  const version = `${generation} ${health}`
  const changes = version === known ? live.changes : live.changes + 1
  known = version
  return changes
}

function become(changed: Partial<Live>): void {
  live = { ...live, ...changed }
  for (const each of watchers) each()
}

/** What is called while requests are followed. */
export interface RequestListeners {
  /** Requests that end from now on are reported; again after each interruption. */
  readonly following: () => void
  /** `more`: not all of them are among these. */
  readonly ended: (requests: readonly Request[], more: boolean) => void
  /** The query is wrong. Further attempts will probably fail, too. */
  readonly refused: (error: Refusal) => void
}

/** Follows finished requests until the returned function is called. */
export function followRequests(query: URLSearchParams, { following, ended, refused }: RequestListeners): () => void {
  const abort = new AbortController()
  query.set('requests', 'true')
  void follow(`/events?${query}`, abort.signal, {
    hello: following,
    requests: ({ requests, more }) => ended(requests, more),
    refused,
  })
  return () => abort.abort()
}

/** The data of events, by event name. */
interface Events {
  readonly hello: Versions & { readonly bounds: readonly number[]; readonly history: History }
  readonly window: Window & Versions
  readonly requests: { readonly requests: readonly Request[]; readonly more: boolean }
}

type Listeners = { readonly [Name in keyof Events]?: (data: Events[Name]) => void } & {
  readonly lost?: () => void
  readonly refused?: (error: Refusal) => void
}

/**
 * Reads an event stream, and reconnects when it ends, until the signal aborts. A hidden page reads none: browsers limit the connections to
 * one address, and each stream takes one.
 */
async function follow(path: string, signal: AbortSignal, listeners: Listeners): Promise<void> {
  while (!signal.aborted) {
    await untilSeen(signal)
    const hiding = new AbortController()
    let locked = false
    const look = (): void => {
      if (document.hidden) hiding.abort()
    }
    document.addEventListener('visibilitychange', look)
    try {
      const response = await send(path, { signal: AbortSignal.any([signal, hiding.signal]) })
      if (response.body !== null) await readEvents(response.body, listeners)
    } catch (error) {
      // The next attempt gives the same error, or succeeds. A user who is not logged in has not lost a connection.
      locked = error instanceof Refusal && error.status === 401
      if (error instanceof Refusal && error.status === 400) listeners.refused?.(error)
    } finally {
      document.removeEventListener('visibilitychange', look)
    }
    if (signal.aborted) return
    if (hiding.signal.aborted) continue
    if (!locked) listeners.lost?.()
    await new Promise((resolve) => setTimeout(resolve, AGAIN))
  }
}

/** Resolves when the page is visible, or the signal aborts. */
function untilSeen(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (document.hidden && !signal.aborted) return
      document.removeEventListener('visibilitychange', look)
      resolve()
    }
    document.addEventListener('visibilitychange', look)
    signal.addEventListener('abort', look, { once: true })
    look()
  })
}

/** Parses events as in HTML, section 9.2.6, as far as the gateway uses that format. */
async function readEvents(body: ReadableStream<Uint8Array<ArrayBuffer>>, listeners: Listeners): Promise<void> {
  let text = ''
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    text += part
    const events = text.split('\n\n')
    text = events.pop() ?? ''
    for (const event of events) {
      const name = /^event: (.*)$/m.exec(event)?.[1] ?? ''
      const data = /^data: (.*)$/m.exec(event)?.[1] ?? 'null'
      if (name === 'hello') listeners.hello?.(read(data))
      if (name === 'window') listeners.window?.(read(data))
      if (name === 'requests') listeners.requests?.(read(data))
    }
  }
}
