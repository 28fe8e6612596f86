import { Fragment, h, type ComponentChildren } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Request } from '../answers.ts'
import { callApi, wordsOf } from '../client.ts'
import { milliseconds, byteSize, preciseTime } from '../format.ts'
import { useRoutes } from '../hooks.ts'
import { followRequests } from '../live.ts'
import { links, statusTone } from '../names.ts'
import { Empty, Head, Panel } from '../parts/layout.ts'
import { Badge, Link, Time, Zone } from '../parts/marks.ts'
import { Failure, Waiting } from '../parts/notes.ts'
import { go } from '../place.ts'

/** Maximum number of requests shown at a time. */
const SHOWN = 200
/** Maximum number of requests remembered after they were shown. */
const REMEMBERED = 2000

const FILTERS = ['route', 'service', 'status', 'consumer', 'slower'] as const

/** Requests that were shown, by correlation id: the gateway forgets them sooner than a user may open one. */
const shown = new Map<string, Request>()

function remember(requests: readonly Request[]): void {
  for (const request of requests) {
    shown.delete(request.correlationId)
    shown.set(request.correlationId, request)
  }
  for (const [oldest] of shown) {
    if (shown.size <= REMEMBERED) return
    shown.delete(oldest)
  }
}

/** The last request with that correlation id that was shown. */
export function shownRequest(correlationId: string): Request | undefined {
  return shown.get(correlationId)
}

/** Rows of requests never change: they are made once, with a number for each, because the replies have no unique id. */
const rows = new WeakMap<Request, ComponentChildren>()
let number = 0

function rowOf(request: Request): ComponentChildren {
  const known = rows.get(request) ?? h(Row, { key: String(++number), request })
  rows.set(request, known)
  return known
}

/** The most recently finished requests, followed live. */
export function Requests({ query }: { query: URLSearchParams }): ComponentChildren {
  const [requests, setRequests] = useState<readonly Request[] | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [paused, setPaused] = useState(false)
  const [missed, setMissed] = useState(false)
  const wanted = filterOf(query)
  const text = wanted.toString()
  useEffect(() => {
    setRequests(null)
    setMissed(false)
    setError(null)
  }, [text])
  useEffect(() => {
    if (paused || error !== null) return undefined
    const abort = new AbortController()
    const add = (some: readonly Request[]): void => {
      remember(some)
      setRequests((before) => merged(some, before ?? []))
    }
    const fetchLatest = async (): Promise<void> => {
      const params = new URLSearchParams(text)
      params.set('limit', String(SHOWN))
      try {
        const latest = await callApi<{ requests: Request[] }>(`/requests?${params}`, { signal: abort.signal })
        if (!abort.signal.aborted) add(latest.requests)
      } catch (thrown) {
        if (!abort.signal.aborted) setError(thrown)
      }
    }
    const leave = followRequests(new URLSearchParams(text), {
      // Only now, so that no request ends unnoticed between the list and the stream.
      following: () => void fetchLatest(),
      ended: (fresh, more) => {
        setMissed(more)
        add(fresh)
      },
      refused: setError,
    })
    return () => {
      abort.abort()
      leave()
    }
  }, [text, paused, error])
  return h(
    Fragment,
    null,
    h(Head, {
      title: 'Requests',
      about: 'The latest requests of all workers, as they end.',
      children: h(
        'button',
        {
          type: 'button',
          class: `button${paused ? ' primary' : ''}`,
          'aria-pressed': paused,
          onClick: () => setPaused(!paused),
        },
        paused ? 'Resume' : 'Pause',
      ),
    }),
    h(Filters, { query: wanted }),
    h(
      Panel,
      { flush: true },
      error === null
        ? h(List, { requests, paused, missed, filtered: text !== '' })
        : h(
            'div',
            { class: 'padded' },
            h(Failure, { title: 'The requests cannot be shown.', error: new Error(wordsOf(error)) }),
          ),
    ),
  )
}

/** Both lists, newest first: a request that ended while the list was being fetched is in both. */
function merged(some: readonly Request[], before: readonly Request[]): readonly Request[] {
  const known = new Set(some.map(keyOf))
  const others = before.filter((each) => !known.has(keyOf(each)))
  return [...some, ...others].toSorted((a, b) => endOf(b) - endOf(a)).slice(0, SHOWN)
}

function endOf({ time, durationMs }: Request): number {
  return Date.parse(time) + durationMs
}

/** What distinguishes a request from all others. */
function keyOf({ traceId, correlationId, time, durationMs, path }: Request): string {
  return [traceId, correlationId, time, durationMs, path].join(' ')
}

function filterOf(query: URLSearchParams): URLSearchParams {
  const kept = new URLSearchParams()
  for (const name of FILTERS) {
    const value = query.get(name) ?? ''
    if (value !== '') kept.set(name, value)
  }
  return kept
}

function Filters({ query }: { query: URLSearchParams }): ComponentChildren {
  const routes = useRoutes()
  const change = (name: (typeof FILTERS)[number], value: string): void => {
    const next = new URLSearchParams(query)
    if (value.trim() === '') next.delete(name)
    else next.set(name, value.trim())
    const text = next.toString()
    go(`/console/requests${text === '' ? '' : `?${text}`}`, true)
  }
  const field = (
    name: (typeof FILTERS)[number],
    label: string,
    placeholder: string,
    more: Readonly<Record<string, string>> = {},
  ): ComponentChildren =>
    h(Field, { label, placeholder, value: query.get(name) ?? '', change: (value) => change(name, value), more })
  return h(
    'form',
    {
      class: 'filters',
      role: 'search',
      'aria-label': 'Filter requests',
      onSubmit: (event: Event) => event.preventDefault(),
    },
    field('route', 'Route', 'any', { list: 'route-ids' }),
    h(
      'datalist',
      { id: 'route-ids' },
      (routes.data?.routes ?? []).slice(0, 500).map(({ id }) => h('option', { key: id, value: id })),
    ),
    field('service', 'Service', 'any'),
    h(
      'label',
      { class: 'field' },
      h('span', null, 'Status'),
      h(
        'select',
        {
          value: query.get('status') ?? '',
          onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) => change('status', currentTarget.value),
        },
        [
          ...new Set([
            '',
            '2xx',
            '3xx',
            '4xx',
            '5xx',
            '401',
            '403',
            '404',
            '429',
            '500',
            '502',
            '503',
            '504',
            query.get('status') ?? '',
          ]),
        ].map((value) => h('option', { key: value, value }, value === '' ? 'any' : value)),
      ),
    ),
    field('consumer', 'Consumer or API key', 'any'),
    field('slower', 'Slower than, ms', 'any', { inputMode: 'numeric', pattern: '[0-9]+(\\.[0-9]+)?' }),
    query.size > 0 &&
      h('button', { type: 'button', class: 'button quiet', onClick: () => go('/console/requests', true) }, 'Clear'),
  )
}

/** A text that is applied when the user has finished it; what is half typed stays when requests arrive. */
function Field({
  label,
  placeholder,
  value,
  change,
  more,
}: {
  label: string
  placeholder: string
  value: string
  change: (value: string) => void
  more: Readonly<Record<string, string>>
}): ComponentChildren {
  const [typed, setTyped] = useState<string | null>(null)
  return h(
    'label',
    { class: 'field' },
    h('span', null, label),
    h('input', {
      type: 'text',
      placeholder,
      value: typed ?? value,
      autoComplete: 'off',
      spellCheck: false,
      ...more,
      onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => setTyped(currentTarget.value),
      onChange: ({ currentTarget }: { currentTarget: HTMLInputElement }) => {
        setTyped(null)
        change(currentTarget.value)
      },
    }),
  )
}

function List({
  requests,
  paused,
  missed,
  filtered,
}: {
  requests: readonly Request[] | null
  paused: boolean
  missed: boolean
  filtered: boolean
}): ComponentChildren {
  if (requests === null) return h('div', { class: 'padded' }, h(Waiting, { lines: 8 }))
  if (requests.length === 0)
    return h(
      Empty,
      { title: filtered ? 'No requests match' : 'No requests yet' },
      filtered
        ? 'The filter looks at the requests that the workers keep. New ones appear here as they end.'
        : 'They appear here as they end. Probes of the gateway’s own endpoints are left out.',
    )
  return h(
    Fragment,
    null,
    h(
      'div',
      { class: 'table-frame', tabIndex: 0, role: 'region', 'aria-label': 'Requests' },
      h(
        'table',
        { class: 'requests' },
        h(
          'thead',
          null,
          h(
            'tr',
            null,
            ['Time', 'Status', 'Request', 'Route', 'Service', 'Who', 'Duration', 'Size'].map((head, i) =>
              h(
                'th',
                {
                  key: head,
                  scope: 'col',
                  class: `${i > 5 ? 'numeric' : ''}${(i > 2 && i < 6) || i === 7 ? ' wide' : ''}`,
                },
                head,
              ),
            ),
          ),
        ),
        h('tbody', null, requests.map(rowOf)),
      ),
    ),
    h(
      'p',
      { class: 'table-foot quiet' },
      `${requests.length} shown${paused ? ', paused' : ', newest first'}${missed ? '; not all are shown: at most 50 per second from each worker' : ''}.`,
      h(Zone, null),
    ),
  )
}

function Row({ request }: { request: Request }): ComponentChildren {
  const {
    time,
    status,
    method,
    path,
    query,
    route,
    service,
    consumer,
    apiKey,
    client,
    durationMs,
    bytes,
    correlationId,
    error,
  } = request
  const target = [
    h('span', { class: 'method' }, method),
    ' ',
    h('span', { title: path + query }, path, h('span', { class: 'quiet' }, query)),
  ]
  return h(
    'tr',
    null,
    h('td', { class: 'mono' }, h(Time, { at: time }, preciseTime(time))),
    h('td', null, h(Badge, { tone: statusTone(status) }, String(status))),
    h(
      'td',
      { class: 'path' },
      // Without the policy correlation-id, a request has no ID, and so no page of its own.
      correlationId === '' ? h('span', null, target) : h(Link, { href: links.request(correlationId) }, target),
      error !== null && h('span', { class: 'error-code' }, error),
    ),
    h(
      'td',
      { class: 'wide' },
      route === null ? h('span', { class: 'quiet' }, 'none') : h(Link, { href: links.route(route) }, route),
    ),
    h(
      'td',
      { class: 'wide' },
      service === null ? h('span', { class: 'quiet' }, '–') : h(Link, { href: links.service(service) }, service),
    ),
    h(
      'td',
      { class: 'wide' },
      consumer === null
        ? h('span', { class: 'quiet' }, client)
        : h('span', { title: client }, consumer, apiKey !== null && h('span', { class: 'quiet' }, ` key ${apiKey}`)),
    ),
    h('td', { class: 'numeric' }, milliseconds(durationMs)),
    h('td', { class: 'numeric wide' }, byteSize(bytes)),
  )
}
