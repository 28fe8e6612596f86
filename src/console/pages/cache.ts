import { Fragment, h, type ComponentChildren } from 'preact'
import type { Route } from '../answers.ts'
import { routeColumn } from '../columns.ts'
import { count, share } from '../format.ts'
import { useLive, usePolled } from '../hooks.ts'
import { Figure } from '../parts/figures.ts'
import { Empty, Head, Panel } from '../parts/layout.ts'
import { Loaded } from '../parts/notes.ts'
import { Table } from '../parts/table.ts'
import { counted, periodOf } from '../rates.ts'
import { Purge } from './purge.ts'

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
