import { useEffect, useRef, useState } from 'preact/hooks'
import type { Listed, Role, Route, Session } from './answers.ts'
import type { Refusal } from './client.ts'
import { currentLive, type Live, watchLive } from './live.ts'
import { pollOf } from './polls.ts'

/** Live statistics, kept up to date. */
export function useLive(): Live {
  const [live, setLive] = useState(currentLive())
  useEffect(() => watchLive(() => setLive(currentLive())), [])
  return live
}

/** A reply of the admin API that is polled. */
export interface Polled<Answer> {
  readonly data: Answer | null
  /** Why the last attempt failed; null if it succeeded. */
  readonly error: Refusal | null
  /** Polls immediately. */
  readonly again: () => void
}

/**
 * Fetches `path` now, then at that interval in milliseconds while the page is visible, and whenever `when` changes. If an attempt fails,
 * the last reply is kept; pass null for a path that is not known yet.
 */
export function usePolled<Answer>(path: string | null, interval = 5000, when: unknown = null): Polled<Answer> {
  const [, change] = useState(0)
  useEffect(
    () => (path === null ? undefined : pollOf(path).watch(() => change((n) => n + 1), interval)),
    [path, interval, when],
  )
  if (path === null) return { data: null, error: null, again: () => {} }
  const poll = pollOf(path)
  const { data, error } = poll.known
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the admin API answers what answers.ts says
  return { data: data as Answer | null, error, again: () => poll.pollNow() }
}

/** The routes, fetched when the configuration has changed: in between, the windows provide their statistics. */
export function useRoutes(when: unknown = null): Polled<{ readonly routes: readonly Route[] }> {
  return usePolled('/routes', 60_000, when)
}

/** The current session; null while it is unknown. */
export function useSession(): Polled<Session> {
  return usePolled<Session>('/session', 60_000)
}

const ROLES: readonly Role[] = ['viewer', 'operator', 'admin']

/**
 * Why the user may not send that request to the admin API; null if it is allowed, and while that is unknown. What it is about can need a
 * role of its own.
 */
export function useBarred(method: string, path: string, own?: Role): string | null {
  const { data } = usePolled<Listed>('/', 300_000)
  const role = useSession().data?.role ?? null
  const needed = own ?? data?.endpoints.find((each) => each.method === method && each.path === path)?.role
  if (needed === undefined || role === null || ROLES.indexOf(role) >= ROLES.indexOf(needed)) return null
  return `This needs the role ${needed}; you are logged in as ${role}.`
}

/** Whether the admin API has an endpoint; false while that is unknown. */
export function useHas(): (method: string, path: string) => boolean {
  const { data } = usePolled<Listed>('/', 300_000)
  return (method, path) => data?.endpoints.some((each) => each.method === method && each.path === path) === true
}

/** The time in milliseconds since 1970, updated every second or at the given interval. */
export function useNow(interval = 1000): number {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), interval)
    return () => clearInterval(timer)
  }, [interval])
  return now
}

/** Calls `pressed` with each key that is pressed outside input fields. */
export function useKeys(pressed: (key: string, event: KeyboardEvent) => void): void {
  const latest = useRef(pressed)
  latest.current = pressed
  useEffect(() => {
    const listen = (event: KeyboardEvent): void => {
      const { target } = event
      if (event.ctrlKey || event.metaKey || event.altKey) return
      if (
        target instanceof HTMLElement &&
        (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
      )
        return
      latest.current(event.key, event)
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  }, [])
}
