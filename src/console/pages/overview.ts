import { Fragment, h, type ComponentChildren } from 'preact'
import type { Route, Service, Status } from '../answers.ts'
import { count, duration, milliseconds, byteSize, plural, rate, share, rateAlone, shareAlone } from '../format.ts'
import { useLive, usePolled, useRoutes } from '../hooks.ts'
import type { Live } from '../live.ts'
import { instanceState, links, matchWords, serviceTones, servicesOf } from '../names.ts'
import { Figure } from '../parts/figures.ts'
import { Empty, Head, Panel } from '../parts/layout.ts'
import { Badge, Link, type Tone } from '../parts/marks.ts'
import { Loaded, Waiting } from '../parts/notes.ts'
import {
  failurePoints,
  listenerRate,
  ofAll,
  ofRoute,
  ofService,
  pointsOf,
  recentRates,
  slowPoints,
} from '../traffic.ts'
import { Replicas } from './replicas.ts'
import type { Finding } from '../wrong.ts'

const WORDS: Readonly<Record<Finding['level'], string>> = { critical: 'Critical', warning: 'Warning', notice: 'Note' }

/** The current problems and activity. */
export function Overview({
  findings,
  status,
}: {
  findings: readonly Finding[] | null
  status: Status | null
}): ComponentChildren {
  const live = useLive()
  const routes = useRoutes(live.changes)
  const services = usePolled<{ services: Service[] }>('/services', 5000, live.changes)
  return h(
    Fragment,
    null,
    h(Head, { title: 'Overview', about: 'Current problems and traffic.' }),
    h(Wrong, { findings }),
    h(Figures, { live, status }),
    h(
      Panel,
      { title: 'Traffic', aside: 'Requests per second, 5xx, 95th percentile: last 10 s' },
      h(Loaded, {
        polled: routes,
        what: 'The routes',
        lines: 6,
        children: () =>
          h(Topology, { live, routes: routes.data?.routes ?? [], services: services.data?.services ?? [], status }),
      }),
    ),
    h(Workers, { status }),
    // Without Redis, gateways do not know of each other.
    status?.workers.some(({ redis }) => redis !== null) === true && h(Replicas, null),
  )
}

function Wrong({ findings }: { findings: readonly Finding[] | null }): ComponentChildren {
  if (findings === null) return h(Panel, null, h(Waiting, { lines: 1 }))
  if (findings.length === 0)
    return h(
      'section',
      { class: 'all-well', 'aria-label': 'State' },
      h('span', { class: 'tick', 'aria-hidden': true }),
      h(
        'div',
        null,
        h('h2', null, 'Nothing is wrong'),
        h('p', null, 'Every instance is available, the configuration is current, and no route is failing.'),
      ),
    )
  return h(
    'section',
    { class: 'findings', 'aria-label': 'What is wrong now' },
    h('h2', null, plural(findings.length, 'problem')),
    h(
      'ul',
      null,
      findings.map(({ level, title, detail, href }) =>
        h(
          'li',
          { key: `${title} ${href}`, class: `finding ${level}` },
          h(
            Link,
            { href },
            h('span', { class: 'finding-level' }, WORDS[level]),
            h('span', { class: 'finding-title' }, title),
            h('span', { class: 'finding-detail' }, detail),
          ),
        ),
      ),
    ),
  )
}

function Figures({ live, status }: { live: Live; status: Status | null }): ComponentChildren {
  const { rate: requests, failed, refused, p95 } = recentRates(live, ofAll)
  const busy = status === null ? 0 : Math.max(0, ...status.workers.map((worker) => worker.busy))
  return h(
    'div',
    { class: 'figures' },
    h(Figure, { name: 'Requests', value: rateAlone(requests), points: pointsOf(live, ofAll) }),
    h(Figure, {
      name: 'Server errors, 5xx',
      value: shareAlone(failed),
      ...(failed >= 0.05 && { tone: 'critical' as const }),
      points: failurePoints(live, ofAll),
    }),
    h(Figure, { name: '95th percentile', value: milliseconds(p95), points: slowPoints(live, ofAll) }),
    h(Figure, { name: 'Client errors, 4xx', value: shareAlone(refused), about: 'of the last 10 s' }),
    h(Figure, {
      name: 'In flight',
      value: status === null ? '–' : count(status.inFlight),
      about: status === null ? '' : plural(status.connections, 'connection'),
    }),
    h(Figure, {
      name: 'Busiest worker',
      value: status === null ? '–' : shareAlone(busy),
      about: 'of its time since it started',
    }),
  )
}

/** The number of rows per column, the busiest first. */
const ROWS = 12
const ROW = 56

interface Node {
  readonly key: string
  readonly title: string
  readonly about: string
  readonly href: string | null
  readonly tone: Tone
  readonly figures: readonly string[]
}

type Edge = readonly [from: number, to: number, strength: number]

/** Listeners, routes, services and instances, with the traffic between them. */
function Topology({
  live,
  routes,
  services,
  status,
}: {
  live: Live
  routes: readonly Route[]
  services: readonly Service[]
  status: Status | null
}): ComponentChildren {
  if (routes.length === 0)
    return h(Empty, { title: 'There are no routes' }, 'Requests get 404 until the configuration has one.')
  const rated = routes.map((route) => ({ route, rates: recentRates(live, ofRoute(route.id)) }))
  const busiest = rated.toSorted((a, b) => b.rates.rate - a.rates.rate).slice(0, ROWS)
  const named = [...new Set(busiest.flatMap(({ route }) => servicesOf(route)))]
  const shown = [...named, ...services.map(({ name }) => name).filter((name) => !named.includes(name))]
    .flatMap((name) => services.find((service) => service.name === name) ?? [])
    .slice(0, ROWS)
  const instances = shown
    .flatMap((service) => service.instances.map((instance) => ({ service, instance })))
    .slice(0, ROWS)
  const total = recentRates(live, ofAll)
  const most = Math.max(1, total.rate)
  const listeners = (status?.listeners ?? []).map(({ name, address }) => ({
    name,
    address,
    requests: listenerRate(live, name),
  }))
  const columns: readonly (readonly Node[])[] = [
    listeners.map(({ name, address, requests }) => ({
      key: address,
      title: name.endsWith(':0') ? address : name,
      about: name === address || name.endsWith(':0') ? 'listener' : address,
      href: null,
      tone: requests > 0 ? 'good' : 'plain',
      figures: [rate(requests)],
    })),
    busiest.map(({ route, rates }) => ({
      key: route.id,
      title: route.id,
      about: matchWords(route),
      href: links.route(route.id),
      tone: rates.failed >= 0.5 ? 'critical' : rates.failed >= 0.05 ? 'warning' : rates.rate > 0 ? 'good' : 'plain',
      figures: [rate(rates.rate), share(rates.failed), milliseconds(rates.p95)],
    })),
    shown.map((service) => {
      const rates = recentRates(live, ofService(service.name))
      return {
        key: service.name,
        title: service.name,
        about: plural(service.instances.length, 'instance'),
        href: links.service(service.name),
        tone: serviceTones[service.status],
        figures: [rate(rates.rate), share(rates.failed), milliseconds(rates.p95)],
      }
    }),
    instances.map(({ service, instance }) => {
      const rates = recentRates(live, ofService(service.name, instance.address))
      const [word, tone] = instanceState(instance)
      return {
        key: `${service.name} ${instance.address}`,
        title: instance.address,
        about: word,
        href: links.service(service.name),
        tone,
        figures: [rate(rates.rate), share(rates.failed), milliseconds(rates.p95)],
      }
    }),
  ]
  const strength = (requests: number): number => (requests === 0 ? 0 : 1 + 3 * Math.sqrt(requests / most))
  const edges: readonly (readonly Edge[])[] = [
    listeners.flatMap(({ requests }, from) =>
      busiest.map(({ rates }, to): Edge => [from, to, strength(Math.min(requests, rates.rate))]),
    ),
    busiest.flatMap(({ route, rates }, from) =>
      servicesOf(route).flatMap((name): Edge[] => {
        const to = shown.findIndex((service) => service.name === name)
        return to === -1 ? [] : [[from, to, strength(rates.rate)]]
      }),
    ),
    instances.map(({ service, instance }, to): Edge => [
      shown.indexOf(service),
      to,
      strength(recentRates(live, ofService(service.name, instance.address)).rate),
    ]),
  ]
  const rows = Math.max(...columns.map((column) => column.length))
  const more = [
    routes.length > busiest.length
      ? h(Link, { href: '/console/routes' }, `all ${plural(routes.length, 'route')}`)
      : null,
    services.length > shown.length
      ? h(Link, { href: '/console/services' }, `all ${plural(services.length, 'service')}`)
      : null,
  ].filter((link) => link !== null)
  return h(
    Fragment,
    null,
    h(
      'div',
      { class: 'topology', tabIndex: 0, role: 'region', 'aria-label': 'Listeners, routes, services and instances' },
      columns.map((nodes, i) => [
        h(
          'div',
          { key: `c${i}`, class: 'column' },
          h('div', { class: 'column-head' }, ['Listeners', 'Routes', 'Services', 'Instances'][i]),
          nodes.map((node) => h(NodeCard, { key: node.key, node })),
        ),
        i < 3 && h(Edges, { key: `e${i}`, edges: edges[i] ?? [], height: rows * ROW }),
      ]),
    ),
    more.length > 0 &&
      h(
        'p',
        { class: 'quiet more' },
        'Only the busiest are shown. See ',
        more.map((link, i) => [i > 0 && ' and ', link]),
        '.',
      ),
  )
}

function NodeCard({ node: { title, about, href, tone, figures } }: { node: Node }): ComponentChildren {
  const [throughput, ...others] = figures
  const content = [
    h('span', { class: `bar ${tone}`, 'aria-hidden': true }),
    h(
      'span',
      { class: 'node-text' },
      h(
        'span',
        { class: 'node-line' },
        h('span', { class: 'node-title', title }, title),
        h('strong', null, throughput),
      ),
      h(
        'span',
        { class: 'node-line quiet' },
        h('span', { class: 'node-about', title: about }, about),
        h('span', null, others.join('  ')),
      ),
    ),
  ]
  return href === null ? h('div', { class: 'node' }, content) : h('a', { class: 'node', href }, content)
}

/** The vertical middle of a row. */
function middle(row: number): number {
  return row * ROW + ROW / 2
}

function Edges({ edges, height }: { edges: readonly Edge[]; height: number }): ComponentChildren {
  return h(
    'svg',
    { class: 'edges', viewBox: `0 0 100 ${height}`, height, preserveAspectRatio: 'none', 'aria-hidden': true },
    edges.map(([from, to, strength]) =>
      h('path', {
        key: `${from} ${to}`,
        class: strength > 0 ? 'edge live' : 'edge',
        d: `M0 ${middle(from)} C50 ${middle(from)} 50 ${middle(to)} 100 ${middle(to)}`,
        'stroke-width': strength > 0 ? strength.toFixed(1) : '1',
      }),
    ),
  )
}

function Workers({ status }: { status: Status | null }): ComponentChildren {
  if (status === null) return h(Panel, { title: 'Process' }, h(Waiting, { lines: 2 }))
  const { workers } = status
  return h(
    Panel,
    {
      title: 'Process',
      aside: `Sallyport ${status.version}, Node ${status.node}, pid ${status.pid}, up ${duration(status.uptimeSeconds)}`,
    },
    h(
      'div',
      { class: 'workers' },
      workers.map(({ worker, busy, connections, inFlight, heapBytes, redis }) =>
        h(
          'div',
          { key: worker, class: 'worker' },
          h(
            'div',
            { class: 'worker-head' },
            h('strong', null, `Worker ${worker}`),
            redis !== null && redis.length > 0 && h(Badge, { tone: 'critical' }, 'no Redis'),
          ),
          h(
            'div',
            { class: 'meter', role: 'img', 'aria-label': `busy ${Math.round(busy * 100)}%` },
            h('span', { style: { width: `${Math.round(busy * 100)}%` } }),
          ),
          h(
            'div',
            { class: 'quiet' },
            `${plural(connections, 'connection')}, ${count(inFlight)} in flight, heap ${byteSize(heapBytes)}`,
          ),
        ),
      ),
      h(
        'div',
        { class: 'worker' },
        h('div', { class: 'worker-head' }, h('strong', null, 'Memory')),
        h('div', { class: 'worker-value' }, byteSize(status.memory.rssBytes)),
        h('div', { class: 'quiet' }, 'of the whole process'),
      ),
    ),
  )
}
