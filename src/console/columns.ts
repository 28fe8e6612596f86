import { h } from 'preact'
import type { Route } from './answers.ts'
import { milliseconds, rate, share } from './format.ts'
import { links, matchWords } from './names.ts'
import { Link } from './parts/marks.ts'
import type { Column } from './parts/table.ts'
import type { Rates } from './rates.ts'

/** The name of a route and its match. */
export const routeColumn: Column<{ readonly route: Route }> = {
  head: 'Route',
  sort: ({ route }) => route.id,
  cell: ({ route }) =>
    h(
      'div',
      { class: 'name-cell' },
      h(Link, { href: links.route(route.id), class: 'strong' }, route.id),
      h(
        'code',
        { class: 'match quiet' },
        matchWords(route)
          .split(' ')
          .flatMap((word) => [h('span', null, word), ' ']),
      ),
    ),
}

/** Requests per second. */
export const requestsColumn: Column<{ readonly rates: Rates }> = {
  head: 'Requests',
  numeric: true,
  sort: ({ rates }) => rates.rate,
  cell: ({ rates }) => rate(rates.rate),
}

/** The share of failed requests. */
export const failedColumn: Column<{ readonly rates: Rates }> = {
  head: 'Failed',
  numeric: true,
  sort: ({ rates }) => rates.failed,
  cell: ({ rates }) => share(rates.failed),
}

/** The 95th percentile of latency. */
export const p95Column: Column<{ readonly rates: Rates }> = {
  head: 'p95',
  numeric: true,
  sort: ({ rates }) => rates.p95 ?? -1,
  cell: ({ rates }) => milliseconds(rates.p95),
}
