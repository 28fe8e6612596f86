import { Fragment, h, type ComponentChildren } from 'preact'
import type { Service } from '../answers.ts'
import { failedColumn, p95Column, requestsColumn } from '../columns.ts'
import { count, plural } from '../format.ts'
import { useLive, usePolled } from '../hooks.ts'
import { instanceState, links, serviceTones } from '../names.ts'
import { Spark } from '../parts/figures.ts'
import { Empty, Head, Panel } from '../parts/layout.ts'
import { Badge, Link } from '../parts/marks.ts'
import { Loaded } from '../parts/notes.ts'
import { Table } from '../parts/table.ts'
import { ofService, pointsOf, recentRates } from '../traffic.ts'

/** All services. */
export function Services(): ComponentChildren {
  const live = useLive()
  const polled = usePolled<{ services: Service[] }>('/services', 3000, live.changes)
  return h(
    Fragment,
    null,
    h(Head, { title: 'Services', about: 'Where requests are forwarded, and the state of the instances.' }),
    h(
      Panel,
      { flush: true },
      h(Loaded<{ services: Service[] }>, {
        polled,
        what: 'The services',
        lines: 6,
        children: ({ services }) => {
          if (services.length === 0)
            return h(Empty, { title: 'There are no services' }, 'Every route of this gateway replies itself.')
          const rows = services.map((service) => ({ service, rates: recentRates(live, ofService(service.name)) }))
          return h(Table<(typeof rows)[number]>, {
            label: 'Services',
            rows,
            keyOf: ({ service }) => service.name,
            columns: [
              {
                head: 'Service',
                sort: ({ service }) => service.name,
                cell: ({ service }) =>
                  h(
                    'div',
                    { class: 'name-cell' },
                    h(Link, { href: links.service(service.name), class: 'strong' }, service.name),
                    h('span', { class: 'quiet' }, balancerWords(service)),
                  ),
              },
              {
                head: 'State',
                sort: ({ service }) => service.status,
                cell: ({ service }) => h(Badge, { tone: serviceTones[service.status] }, service.status),
              },
              { head: 'Instances', wide: true, cell: ({ service }) => h(Instances, { service }) },
              {
                head: 'Last minute',
                wide: true,
                cell: ({ service }) =>
                  h(Spark, {
                    points: pointsOf(live, ofService(service.name)),
                    label: `Requests to ${service.name} in the last minute`,
                  }),
              },
              requestsColumn,
              failedColumn,
              p95Column,
              {
                head: 'In flight',
                numeric: true,
                sort: ({ service }) => inFlightOf(service),
                cell: ({ service }) => count(inFlightOf(service)),
              },
            ],
          })
        },
      }),
    ),
  )
}

function Instances({ service }: { service: Service }): ComponentChildren {
  const usable = service.instances.filter((instance) => instance.usable).length
  return h(
    'div',
    { class: 'instance-dots' },
    service.instances.slice(0, 24).map((instance) => {
      const [word, tone] = instanceState(instance)
      return h('span', { key: instance.address, class: `square ${tone}`, title: `${instance.address}: ${word}` })
    }),
    h('span', { class: 'quiet' }, `${usable} of ${plural(service.instances.length, 'instance')}`),
  )
}

function balancerWords({ balancer, discovery }: Service): string {
  return discovery === null ? balancer : `${balancer}, found by ${discovery.kind}`
}

function inFlightOf({ instances }: Service): number {
  return instances.reduce((sum, { inFlight }) => sum + inFlight, 0)
}
