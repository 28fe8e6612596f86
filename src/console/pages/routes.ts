import { Fragment, h, type ComponentChildren } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { Route } from '../answers.ts'
import { p95Column, requestsColumn, routeColumn } from '../columns.ts'
import { ago, plural, share } from '../format.ts'
import { useKeys, useLive, useNow, useRoutes } from '../hooks.ts'
import { destinationOf, links, matchWords } from '../names.ts'
import { Spark } from '../parts/figures.ts'
import { Empty, Head, Panel } from '../parts/layout.ts'
import { Badge, Link, Time } from '../parts/marks.ts'
import { Loaded } from '../parts/notes.ts'
import { Table } from '../parts/table.ts'
import { lastUsed, ofRoutes, pointsOf, recentRates } from '../traffic.ts'

/** Maximum number of rows at a time: others are found with the filter, or shown on request. */
const AT_ONCE = 200

/** All routes. */
export function Routes(): ComponentChildren {
  const live = useLive()
  const now = useNow()
  const polled = useRoutes(live.changes)
  const [filter, setFilter] = useState('')
  const [all, setAll] = useState(false)
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
        children: ({ routes }) => {
          const wanted = filter.trim().toLowerCase()
          const found = routes.filter(
            (route) =>
              wanted === '' ||
              `${route.id} ${matchWords(route)} ${destinationOf(route)} ${route.policies.join(' ')}`
                .toLowerCase()
                .includes(wanted),
          )
          if (routes.length === 0)
            return h(Empty, { title: 'There are no routes' }, 'Requests get 404 until the configuration has one.')
          if (found.length === 0)
            return h(
              Empty,
              { title: 'No routes match' },
              `The filter looks at the IDs, matches, services and policies of ${plural(routes.length, 'route')}.`,
            )
          const rows = (all ? found : found.slice(0, AT_ONCE)).map((route) => ({
            route,
            rates: recentRates(live, ofRoutes([route.id])),
            used: lastUsed(live, route),
          }))
          return h(
            Fragment,
            null,
            h(Table<(typeof rows)[number]>, {
              label: 'Routes',
              rows,
              keyOf: ({ route }) => route.id,
              sameAs: ({ route, rates, used }) =>
                JSON.stringify([
                  route.service,
                  route.policies,
                  rates,
                  used === null ? null : ago(used, now),
                  pointsOf(live, ofRoutes([route.id])).some((point) => point > 0) ? live.windows.at(-1)?.at : null,
                ]),
              columns: [
                routeColumn,
                {
                  head: 'Destination',
                  wide: true,
                  sort: ({ route }) => destinationOf(route),
                  cell: ({ route }) =>
                    route.service === null
                      ? destinationOf(route)
                      : h(Link, { href: links.service(route.service) }, route.service),
                },
                {
                  head: 'Policies',
                  wide: true,
                  cell: ({ route }) =>
                    h('span', { class: 'clipped quiet', title: route.policies.join(', ') }, route.policies.join(', ')),
                },
                {
                  head: 'Last minute',
                  wide: true,
                  cell: ({ route }) =>
                    h(Spark, {
                      points: pointsOf(live, ofRoutes([route.id])),
                      label: `Requests to ${route.id} in the last minute`,
                    }),
                },
                requestsColumn,
                {
                  head: '5xx',
                  numeric: true,
                  sort: ({ rates }) => rates.failed,
                  cell: ({ rates }) =>
                    rates.failed === 0
                      ? '–'
                      : h(Badge, { tone: rates.failed >= 0.05 ? 'critical' : 'warning' }, share(rates.failed)),
                },
                p95Column,
                {
                  head: 'Last used',
                  numeric: true,
                  sort: ({ used }) => used ?? 0,
                  cell: ({ used: at }) =>
                    at === null ? h('span', { class: 'quiet' }, 'never') : h(Time, { at }, ago(at, now)),
                },
              ],
            }),
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
        },
      }),
    ),
  )
}
