import { Fragment, h, type ComponentChildren } from 'preact'
import { useMemo, useRef, useState } from 'preact/hooks'
import type { Route } from '../answers.ts'
import { p95Column, requestsColumn, routeColumn } from '../columns.ts'
import { ago, plural, share } from '../format.ts'
import { useKeys, useLive, useRoutes } from '../hooks.ts'
import type { Live } from '../live.ts'
import { destinationOf, links, matchWords } from '../names.ts'
import { Spark } from '../parts/figures.ts'
import { Empty, Head, Panel } from '../parts/layout.ts'
import { Badge, Link, Time } from '../parts/marks.ts'
import { Loaded } from '../parts/notes.ts'
import { type Column, Table } from '../parts/table.ts'
import type { Rates } from '../rates.ts'
import { lastUsed, ofRoute, pointsOf, recentRates } from '../traffic.ts'

/** Maximum number of rows at a time: others are found with the filter, or shown on request. */
const AT_ONCE = 200

/** What the table shows of a route. */
interface Row {
  readonly route: Route
  readonly rates: Rates
  /** Requests per second, for each second of the last minute. */
  readonly points: readonly number[]
  readonly used: number | null
  /** How long ago that was, in words. */
  readonly usedAgo: string
}

const columns: readonly Column<Row>[] = [
  routeColumn,
  {
    head: 'Destination',
    wide: true,
    sort: ({ route }) => destinationOf(route),
    cell: ({ route }) =>
      route.service === null ? destinationOf(route) : h(Link, { href: links.service(route.service) }, route.service),
  },
  {
    head: 'Policies',
    numeric: true,
    wide: true,
    sort: ({ route }) => route.policies.length,
    cell: ({ route }) => h('span', { title: route.policies.join(', ') }, String(route.policies.length)),
  },
  {
    head: 'Last minute',
    wide: true,
    cell: ({ route, points }) => h(Spark, { points, label: `Requests to ${route.id} in the last minute` }),
  },
  requestsColumn,
  {
    head: '5xx',
    numeric: true,
    sort: ({ rates }) => rates.failed,
    cell: ({ rates }) =>
      rates.failed === 0 ? '–' : h(Badge, { tone: rates.failed >= 0.05 ? 'critical' : 'warning' }, share(rates.failed)),
  },
  p95Column,
  {
    head: 'Last used',
    numeric: true,
    sort: ({ used }) => used ?? 0,
    cell: ({ used, usedAgo }) =>
      used === null ? h('span', { class: 'quiet' }, usedAgo) : h(Time, { at: used }, usedAgo),
  },
]

/** All routes. */
export function Routes(): ComponentChildren {
  const live = useLive()
  const polled = useRoutes(live.changes)
  const [filter, setFilter] = useState('')
  const input = useRef<HTMLInputElement>(null)
  useKeys((key, event) => {
    if (key !== '/') return
    event.preventDefault()
    input.current?.focus()
  })
  return h(
    Fragment,
    null,
    h(Head, {
      title: 'Routes',
      about: 'What each route matches, where it leads, and how it is doing.',
      children: h('input', {
        ref: input,
        type: 'search',
        class: 'search',
        placeholder: 'Filter routes',
        'aria-label': 'Filter routes',
        value: filter,
        onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => setFilter(currentTarget.value),
      }),
    }),
    h(
      Panel,
      { flush: true },
      h(Loaded<{ readonly routes: readonly Route[] }>, {
        polled,
        what: 'The routes',
        lines: 8,
        children: ({ routes }) => h(RouteTable, { routes, live, filter: filter.trim().toLowerCase() }),
      }),
    ),
  )
}

function RouteTable({
  routes,
  live,
  filter,
}: {
  routes: readonly Route[]
  live: Live
  filter: string
}): ComponentChildren {
  const [all, setAll] = useState(false)
  const found = useMemo(() => routes.filter((route) => textOf(route).includes(filter)), [routes, filter])
  const shown = all ? found.length : AT_ONCE
  const rows = useMemo(() => found.slice(0, shown).map((route) => rowOf(route, live)), [found, shown, live])
  if (routes.length === 0)
    return h(Empty, { title: 'There are no routes' }, 'Requests get 404 until the configuration has one.')
  if (found.length === 0)
    return h(
      Empty,
      { title: 'No routes match' },
      `The filter looks at the IDs, matches, services and policies of ${plural(routes.length, 'route')}.`,
    )
  return h(
    Fragment,
    null,
    h(Table<Row>, { label: 'Routes', rows, keyOf: ({ route }) => route.id, sameAs, fixed: 'routes', columns }),
    h(
      'p',
      { class: 'table-foot quiet' },
      found.length > rows.length
        ? h(
            Fragment,
            null,
            `${rows.length} of ${plural(found.length, 'route')}. `,
            h('button', { type: 'button', class: 'link', onClick: () => setAll(true) }, 'Show all'),
          )
        : plural(found.length, 'route'),
      h('span', null, 'Requests, 5xx and p95 are of the last 10 s; last used, since the gateway started.'),
    ),
  )
}

/** What the filter searches. */
function textOf(route: Route): string {
  return `${route.id} ${matchWords(route)} ${destinationOf(route)} ${route.policies.join(' ')}`.toLowerCase()
}

function rowOf(route: Route, live: Live): Row {
  const pick = ofRoute(route.id)
  const used = lastUsed(live, route)
  const now = live.windows.at(-1)?.at ?? Date.now()
  return {
    route,
    rates: recentRates(live, pick),
    points: pointsOf(live, pick),
    used,
    usedAgo: used === null ? 'never' : ago(used, now),
  }
}

/** Whether the row of a route looks as it did before: without requests in the last minute, only the time since the last one changes. */
function sameAs(row: Row, before: Row): boolean {
  return (
    row === before || (row.route === before.route && row.usedAgo === before.usedAgo && isIdle(row) && isIdle(before))
  )
}

function isIdle({ points }: Row): boolean {
  return points.every((point) => point === 0)
}
