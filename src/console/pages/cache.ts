import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Route } from '../answers.ts'
import { callApi } from '../client.ts'
import { type OnReplicas, type Said, saidOf } from '../said.ts'
import { routeColumn } from '../columns.ts'
import { count, plural, share } from '../format.ts'
import { useLive, usePolled } from '../hooks.ts'
import { ActionButton, Confirm, type Question } from '../parts/actions.ts'
import { Figure } from '../parts/figures.ts'
import { Empty, Head, Panel } from '../parts/layout.ts'
import { Loaded, Failure, Note } from '../parts/notes.ts'
import { Table } from '../parts/table.ts'
import { counted, periodOf } from '../rates.ts'

/** Results that did not require a full reply from the service. */
const ANSWERED = ['hit', 'stale', 'revalidated', 'coalesced']

/** How often stored replies are used, and how to purge them. */
export function Cache(): ComponentChildren {
  const live = useLive()
  const polled = usePolled<{ routes: Route[] }>('/routes', 5000, live.changes)
  return h(
    Fragment,
    null,
    h(Head, {
      title: 'Cache',
      about: 'Hit ratio by route, and purging stored replies.',
    }),
    h(Loaded<{ routes: Route[] }>, {
      polled,
      what: 'The routes',
      children: ({ routes }) => {
        const cached = routes.flatMap((route) => (route.cache === null ? [] : [{ route, cache: route.cache }]))
        if (cached.length === 0)
          return h(
            Panel,
            null,
            h(
              Empty,
              { title: 'No route uses the cache' },
              'Add the cache policy to a route, and it serves stored replies while they are fresh: ',
              h('code', null, 'policies: { cache: {} }'),
            ),
          )
        const { windows } = live
        const looked = counted(windows, 'sallyport_cache_requests_total', ({ outcome }) => outcome !== 'bypass')
        const answered = counted(windows, 'sallyport_cache_requests_total', ({ outcome }) =>
          ANSWERED.includes(outcome ?? ''),
        )
        return h(
          Fragment,
          null,
          h(
            'div',
            { class: 'figures' },
            h(Figure, {
              name: 'Served from the cache',
              value: looked === 0 ? '–' : share(answered / looked),
              about: periodOf(windows),
            }),
            h(Figure, { name: 'Requests to cached routes', value: count(looked), about: periodOf(windows) }),
            h(Figure, {
              name: 'Forwarded to the service',
              value: count(looked - answered),
              about: periodOf(windows),
            }),
          ),
          h(
            Panel,
            { title: 'By route', aside: 'Since the gateway started', flush: true },
            h(Table<(typeof cached)[number]>, {
              label: 'Routes with a cache',
              rows: cached,
              keyOf: ({ route }) => route.id,
              first: 2,
              descending: true,
              columns: [
                routeColumn,
                {
                  head: 'Hit ratio',
                  numeric: true,
                  sort: ({ cache }) => ratioOf(cache) ?? -1,
                  cell: ({ cache }) => h(Ratio, { ratio: ratioOf(cache) }),
                },
                {
                  head: 'Hits',
                  numeric: true,
                  sort: ({ cache }) => cache['hit'] ?? 0,
                  cell: ({ cache }) => count(cache['hit'] ?? 0),
                },
                { head: 'Stale', numeric: true, wide: true, cell: ({ cache }) => count(cache['stale'] ?? 0) },
                {
                  head: 'Revalidated',
                  numeric: true,
                  wide: true,
                  cell: ({ cache }) => count(cache['revalidated'] ?? 0),
                },
                { head: 'Collapsed', numeric: true, wide: true, cell: ({ cache }) => count(cache['coalesced'] ?? 0) },
                {
                  head: 'Misses',
                  numeric: true,
                  sort: ({ cache }) => cache['miss'] ?? 0,
                  cell: ({ cache }) => count(cache['miss'] ?? 0),
                },
                {
                  head: 'Bypassed',
                  numeric: true,
                  wide: true,
                  cell: ({ cache }) => count(cache['bypass'] ?? 0),
                },
              ],
            }),
          ),
        )
      },
    }),
    // Not before what is above it, which would move it.
    (polled.data !== null || polled.error !== null) && h(Purge, null),
  )
}

function ratioOf(cache: Readonly<Record<string, number>>): number | null {
  const answered = ANSWERED.reduce((sum, outcome) => sum + (cache[outcome] ?? 0), 0)
  const all = answered + (cache['miss'] ?? 0)
  return all === 0 ? null : answered / all
}

function Ratio({ ratio }: { ratio: number | null }): ComponentChildren {
  if (ratio === null) return h('span', { class: 'quiet' }, 'no requests')
  return h(
    'span',
    { class: 'ratio' },
    h('span', { class: 'meter', 'aria-hidden': true }, h('span', { style: { width: `${Math.round(ratio * 100)}%` } })),
    ratio === 0 ? '0%' : share(ratio),
  )
}

function Purge(): ComponentChildren {
  const [kind, setKind] = useState<'prefix' | 'url'>('prefix')
  const [url, setUrl] = useState('')
  const [said, setSaid] = useState<Said | null>(null)
  const [question, setQuestion] = useState<Question | null>(null)
  const [error, setError] = useState<unknown>(null)
  const purge = (event: Event): void => {
    event.preventDefault()
    setSaid(null)
    setError(null)
    if (!/^https?:\/\/[^/]/i.test(url)) {
      setError(
        new Error(
          'Enter the URL as clients request it, with its scheme and host, for example http://api.example.com/products.',
        ),
      )
      return
    }
    setQuestion({
      title: 'Purge stored replies?',
      text: h(
        Fragment,
        null,
        kind === 'url' ? 'The replies to ' : 'All replies to URLs that begin with ',
        h('code', null, url),
        ' are purged in all workers. The next requests go to the services.',
      ),
      action: 'Purge',
      run: async () => {
        const answer = await callApi<{ purged: number } & OnReplicas>('/cache/purge', {
          method: 'POST',
          json: { [kind]: url },
        })
        const { purged } = answer
        const what =
          purged === 0 ? 'Nothing matching was stored.' : `${plural(purged, 'stored reply', 'stored replies')} purged.`
        setSaid(saidOf(what, answer))
      },
    })
  }
  return h(
    Panel,
    { title: 'Purge stored replies' },
    h(
      'form',
      { class: 'filters', onSubmit: purge },
      h(
        'label',
        { class: 'field' },
        h('span', null, 'What'),
        h(
          'select',
          {
            value: kind,
            onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) =>
              setKind(currentTarget.value === 'url' ? 'url' : 'prefix'),
          },
          h('option', { value: 'prefix' }, 'URLs that begin with'),
          h('option', { value: 'url' }, 'One URL'),
        ),
      ),
      h(
        'label',
        { class: 'field grow' },
        h('span', null, 'URL'),
        h('input', {
          type: 'text',
          inputMode: 'url',
          placeholder: 'http://api.example.com/products',
          value: url,
          onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => setUrl(currentTarget.value),
        }),
      ),
      h(ActionButton, { method: 'POST', path: '/cache/purge', type: 'submit', class: 'button primary' }, 'Purge'),
    ),
    error !== null && h(Failure, { title: '', error }),
    said !== null && h(Note, { tone: said.tone }, said.text),
    question !== null && h(Confirm, { question, close: () => setQuestion(null) }),
  )
}
