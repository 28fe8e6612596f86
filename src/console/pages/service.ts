import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Instance, Service, Transition } from '../answers.ts'
import { Options } from '../changes/options.ts'
import { callApi, Refusal } from '../client.ts'
import { failedColumn, p95Column, requestsColumn } from '../columns.ts'
import { ago, count, milliseconds, moment, plural, timeOfDay, until, rateAlone, shareAlone } from '../format.ts'
import { useLive, useNow, usePolled } from '../hooks.ts'
import { instanceState, links, serviceTones } from '../names.ts'
import { ActionButton, Confirm, type Question } from '../parts/actions.ts'
import { Figure } from '../parts/figures.ts'
import { Empty, Facts, Head, Panel } from '../parts/layout.ts'
import { Badge, Link, Time, type Tone, Zone } from '../parts/marks.ts'
import { Loaded, Note } from '../parts/notes.ts'
import { type Column, Table } from '../parts/table.ts'
import { type OnReplicas, type Said, saidOf } from '../said.ts'
import { failurePoints, ofService, pointsOf, recentRates, slowPoints } from '../traffic.ts'

/** One service: its instances, their history, and its limits. */
export function OneService({ name }: { name: string }): ComponentChildren {
  const live = useLive()
  const polled = usePolled<{ services: Service[] }>('/services', 2000, live.changes)
  const history = usePolled<{ transitions: Transition[] }>(
    `/services/${encodeURIComponent(name)}/history`,
    10_000,
    live.changes,
  )
  const [question, setQuestion] = useState<Question | null>(null)
  const [said, setSaid] = useState<Said | null>(null)
  const ask = (next: Question): void => {
    setSaid(null)
    setQuestion(next)
  }
  const pick = ofService(name)
  const rates = recentRates(live, pick)
  return h(
    Fragment,
    null,
    h('nav', { class: 'crumbs', 'aria-label': 'Breadcrumb' }, h(Link, { href: '/console/services' }, 'Services')),
    h(Loaded<{ services: Service[] }>, {
      polled,
      what: 'The services',
      children: ({ services }) => {
        const service = services.find((each) => each.name === name)
        if (service === undefined)
          return h(
            Fragment,
            null,
            h(Head, { title: name }),
            h(Empty, { title: `There is no service ${name}` }, h(Link, { href: '/console/services' }, 'All services')),
          )
        return h(
          Fragment,
          null,
          h(Head, {
            title: name,
            about: h(Badge, { tone: serviceTones[service.status] }, service.status),
            children: h(Link, { href: links.requests({ service: name }), class: 'button' }, 'Its requests'),
          }),
          h(
            'div',
            { class: 'figures' },
            h(Figure, { name: 'Requests', value: rateAlone(rates.rate), points: pointsOf(live, pick) }),
            h(Figure, {
              name: 'Failed',
              value: shareAlone(rates.failed),
              ...(rates.failed >= 0.05 && { tone: 'critical' as const }),
              points: failurePoints(live, pick),
            }),
            h(Figure, { name: '95th percentile', value: milliseconds(rates.p95), points: slowPoints(live, pick) }),
            h(Figure, {
              name: 'In flight',
              value: count(service.instances.reduce((sum, { inFlight }) => sum + inFlight, 0)),
              about: limitWords(service),
            }),
          ),
          // All gateways have done it, unless this says otherwise.
          said?.tone === 'warning' && h(Note, { tone: said.tone }, said.text),
          h(
            Panel,
            { title: 'Instances', flush: true },
            h(Instances, { service, ask, again: polled.again, say: setSaid }),
          ),
          h(Panel, { title: 'Settings' }, h(Facts, { facts: factsOf(service) })),
          h(Options, { kind: 'service', name }),
        )
      },
    }),
    // Not before what is above it, which would move it.
    polled.data !== null &&
      h(
        Panel,
        { title: 'The last 24 hours', aside: h(Zone, null), flush: true },
        h(Loaded<{ transitions: Transition[] }>, {
          polled: history,
          what: 'The transitions',
          lines: 3,
          children: ({ transitions }) => h(History, { transitions }),
        }),
      ),
    question !== null && h(Confirm, { question, close: () => setQuestion(null) }),
  )
}

function limitWords({ concurrency }: Service): string {
  if (concurrency === null) return 'no limit'
  return `limit ${count(concurrency.limit)}${concurrency.adaptive ? ', adaptive' : ''}`
}

function factsOf({ balancer, discovery, concurrency, retries, hedges }: Service): (readonly [string, string])[] {
  return [
    ['Balancer', balancer],
    [
      'Instances',
      discovery === null
        ? 'from the configuration'
        : `${discovery.instances} found by ${discovery.kind}: ${discovery.subject}${discovery.lastSuccessAt === null ? '' : `, last at ${timeOfDay(discovery.lastSuccessAt)}`}`,
    ],
    [
      'Concurrency',
      concurrency === null
        ? 'no limit'
        : `${count(concurrency.limit)} requests at a time${concurrency.adaptive ? ', adapted to latency' : ''}`,
    ],
    ['Retries', retries === null ? 'none' : `${count(retries.left)} left in the budget now`],
    [
      'Hedged requests',
      hedges === null ? 'none' : `after ${hedges.after}, ${count(hedges.left)} left in the budget now`,
    ],
  ]
}

function Instances({
  service,
  ask: question,
  again,
  say,
}: {
  service: Service
  ask: (question: Question) => void
  again: () => void
  say: (said: Said) => void
}): ComponentChildren {
  const live = useLive()
  const now = useNow()
  if (service.instances.length === 0)
    return h(Empty, { title: 'This service has no instances' }, service.discovery?.problem ?? 'Its requests get 503.')
  const rows = service.instances.map((instance) => ({
    instance,
    rates: recentRates(live, ofService(service.name, instance.address)),
  }))
  return h(Table<(typeof rows)[number]>, {
    label: `Instances of ${service.name}`,
    rows,
    keyOf: ({ instance }) => instance.address,
    columns: [
      {
        head: 'Instance',
        sort: ({ instance }) => instance.address,
        cell: ({ instance }) =>
          h(
            'div',
            { class: 'name-cell' },
            h('strong', null, instance.address),
            h('span', { class: 'quiet' }, reasonOf(instance, now)),
          ),
      },
      {
        head: 'State',
        sort: ({ instance }) => instanceState(instance)[0],
        cell: ({ instance }) => {
          const [word, tone] = instanceState(instance)
          return h(Badge, { tone }, word)
        },
      },
      requestsColumn,
      failedColumn,
      p95Column,
      {
        head: 'In flight',
        numeric: true,
        sort: ({ instance }) => instance.inFlight,
        cell: ({ instance }) => count(instance.inFlight),
      },
      {
        head: 'Weight',
        numeric: true,
        wide: true,
        sort: ({ instance }) => instance.weight,
        cell: ({ instance }) => count(instance.weight),
      },
      ...(service.instances.some(({ zone }) => zone !== null) ? [zoneColumn] : []),
      {
        head: 'Connections',
        numeric: true,
        wide: true,
        cell: ({ instance: { connections } }) =>
          h(
            'span',
            {
              title: `${connections.busy} busy, ${connections.idle} idle, ${connections.connecting} connecting, ${connections.streaming} streaming; ${connections.waiting} requests wait for one`,
            },
            count(connections.busy + connections.idle + connections.streaming),
          ),
      },
      {
        head: 'Actions',
        cell: ({ instance }) =>
          h(
            ActionButton,
            {
              method: instance.drained ? 'DELETE' : 'PUT',
              path: '/services/{name}/instances/{instance}/drain',
              class: 'button small',
              label: `${instance.drained ? 'Undrain' : 'Drain'} ${instance.address}`,
              onClick: () => question(drainQuestion(service, instance, again, say)),
            },
            instance.drained ? 'Undrain' : 'Drain',
          ),
      },
    ],
  })
}

/** Shown only if instances have zones. */
const zoneColumn: Column<{ readonly instance: Instance }> = {
  head: 'Zone',
  wide: true,
  cell: ({ instance }) => instance.zone ?? h('span', { class: 'quiet' }, '–'),
}

function reasonOf({ health, ejected, drained }: Instance, now: number): string {
  if (ejected !== null) return `${ejected.reason}; back ${until(ejected.until, now)} at the latest`
  if (drained) return 'drained by an operator'
  if (health.checkedAt === null) return health.reason ?? 'not checked yet'
  return `${health.reason ?? ''} in ${milliseconds(health.checkMs)}, ${ago(health.checkedAt, now)}`
}

function drainQuestion(
  service: Service,
  { address, drained }: Instance,
  again: () => void,
  say: (said: Said) => void,
): Question {
  const path = `/services/${encodeURIComponent(service.name)}/instances/${encodeURIComponent(address)}/drain`
  if (drained)
    return {
      title: `Undrain ${address}?`,
      text: 'It receives requests again as soon as its health checks pass.',
      action: 'Undrain',
      run: async () => {
        say(saidOf(`${address} is undrained here.`, await callApi<OnReplicas>(path, { method: 'DELETE' })))
        again()
      },
    }
  const others = service.instances.filter((each) => each.usable && each.address !== address).length
  return {
    title: `Drain ${address}?`,
    text:
      others === 0
        ? `It is the last available instance of ${service.name}: clients will get 503.`
        : `It receives no new requests; those in flight finish. ${plural(others, 'other instance')} of ${service.name} ${others === 1 ? 'remains' : 'remain'}.`,
    action: others === 0 ? 'Drain anyway' : 'Drain',
    danger: others === 0,
    run: async () => {
      try {
        const answer = await callApi<OnReplicas>(`${path}${others === 0 ? '?force=true' : ''}`, { method: 'PUT' })
        say(saidOf(`${address} is drained here.`, answer))
      } catch (error) {
        if (error instanceof Refusal && error.status === 409) again()
        throw error
      }
      again()
    },
  }
}

const KINDS: Readonly<Record<Transition['kind'], readonly [word: string, tone: Tone]>> = {
  healthy: ['healthy', 'good'],
  unhealthy: ['unhealthy', 'critical'],
  ejected: ['ejected', 'warning'],
  returned: ['back', 'good'],
  drained: ['drained', 'notice'],
  undrained: ['undrained', 'good'],
}

function History({ transitions }: { transitions: readonly Transition[] }): ComponentChildren {
  if (transitions.length === 0)
    return h(
      Empty,
      { title: 'Nothing has changed' },
      'Health transitions, ejections and drains of the last 24 hours appear here, since the gateway started.',
    )
  return h(Table<Transition>, {
    label: 'Transitions of the last 24 hours',
    rows: transitions,
    keyOf: ({ at, instance, kind }) => `${at} ${instance} ${kind}`,
    columns: [
      { head: 'Time', sort: ({ at }) => Date.parse(at), cell: ({ at }) => h(Time, { at }, moment(at)) },
      { head: 'Instance', sort: ({ instance }) => instance, cell: ({ instance }) => instance },
      {
        head: 'Change',
        sort: ({ kind }) => kind,
        cell: ({ kind }) => h(Badge, { tone: KINDS[kind][1] }, KINDS[kind][0]),
      },
      { head: 'Why', cell: ({ reason }) => reason ?? h('span', { class: 'quiet' }, '–') },
    ],
  })
}
