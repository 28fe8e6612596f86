import { Fragment, h, type ComponentChildren } from 'preact'
import type { Request } from '../answers.ts'
import { milliseconds, moment, octets, plural } from '../format.ts'
import { useHas, usePolled } from '../hooks.ts'
import { explainLink } from './explain/asked.ts'
import { shownRequest } from './requests.ts'
import { links, statusTone } from '../names.ts'
import { Copy } from '../parts/actions.ts'
import { Empty, Facts, Head, Panel } from '../parts/layout.ts'
import { Badge, Link, Time } from '../parts/marks.ts'
import { Asked } from '../parts/notes.ts'

/** What became of the requests with a correlation id, from the arrival to the reply. */
export function OneRequest({ id }: { id: string }): ComponentChildren {
  const polled = usePolled<{ requests: Request[] }>(`/requests?${new URLSearchParams({ correlationId: id })}`, 5000)
  return h(
    Fragment,
    null,
    h('nav', { class: 'crumbs', 'aria-label': 'Breadcrumb' }, h(Link, { href: '/console/requests' }, 'Requests')),
    h(Head, {
      title: 'One request',
      about: h('span', null, 'Correlation id ', h('code', null, id)),
      children: h(Copy, { text: id, label: 'Copy the id' }),
    }),
    h(Asked<{ requests: Request[] }>, {
      polled,
      what: 'The requests',
      children: ({ requests: known }) => {
        const remembered = shownRequest(id)
        const requests = known.length === 0 && remembered !== undefined ? [remembered] : known
        return requests.length === 0
          ? h(
              Empty,
              { title: 'It is not remembered any more' },
              'Each worker remembers as many requests as admin.requests says. The log has it under its correlation id.',
            )
          : h(
              Fragment,
              null,
              requests.map((request, i) => h(Story, { key: i, request })),
            )
      },
    }),
  )
}

function Story({ request }: { request: Request }): ComponentChildren {
  const { method, host, path, query, status, time, durationMs, serviceMs } = request
  const has = useHas()
  const own = Math.max(0, durationMs - serviceMs)
  return h(
    Fragment,
    null,
    h(
      Panel,
      null,
      h(
        'div',
        { class: 'story-head' },
        h(Badge, { tone: statusTone(status) }, String(status)),
        h('code', { class: 'story-target' }, `${method} ${host}${path}${query}`),
        has('POST', '/explain') &&
          h(Link, { href: explainLink(request), class: 'button small story-explain' }, 'Explain'),
      ),
      h(
        'div',
        {
          class: 'split-bar',
          role: 'img',
          'aria-label': `${milliseconds(serviceMs)} of ${milliseconds(durationMs)} in services`,
        },
        h('span', { class: 'split-own', style: { flexGrow: String(Math.max(own, durationMs / 50)) } }),
        serviceMs > 0 && h('span', { class: 'split-service', style: { flexGrow: String(serviceMs) } }),
      ),
      h(
        'p',
        { class: 'split-words' },
        h('span', null, h('i', { class: 'key own' }), `gateway and client ${milliseconds(own)}`),
        serviceMs > 0 && h('span', null, h('i', { class: 'key service' }), `services ${milliseconds(serviceMs)}`),
        h('span', { class: 'quiet' }, `together ${milliseconds(durationMs)}`),
      ),
      h(
        'ol',
        { class: 'story' },
        storyOf(request).map(([title, text], i) =>
          h('li', { key: i }, h('strong', null, title), h('span', null, text)),
        ),
      ),
    ),
    h(
      Panel,
      { title: 'Details' },
      h(Facts, {
        facts: [
          ['Began', h(Time, { at: time }, moment(time))],
          ['Client', request.client],
          ['Protocol', `HTTP/${request.protocol}`],
          ['Consumer', request.consumer ?? 'nobody that is known'],
          ['Tier', request.tier ?? '–'],
          ['API key', request.apiKey ?? '–'],
          ['Trace id', request.traceId === '' ? '–' : h('code', null, request.traceId)],
          ['Body sent', octets(request.bytes)],
        ],
      }),
    ),
  )
}

function storyOf(request: Request): (readonly [string, string | ComponentChildren])[] {
  const {
    client,
    protocol,
    host,
    route,
    consumer,
    apiKey,
    tier,
    service,
    instance,
    attempts,
    retried,
    status,
    error,
    grpcStatus,
    bytes,
  } = request
  const steps: (readonly [string, string | ComponentChildren])[] = [
    ['Arrived', `from ${client} over HTTP/${protocol}${host === '' ? '' : `, for ${host}`}`],
    ['Route', route === null ? 'no route takes it' : h(Link, { href: links.route(route) }, route)],
    [
      'Who',
      consumer === null
        ? 'nobody that is known'
        : `${consumer}${apiKey === null ? '' : `, by the API key ${apiKey}`}${tier === null ? '' : `, tier ${tier}`}`,
    ],
  ]
  if (service !== null && attempts > 0)
    steps.push([
      'Service',
      h(
        'span',
        null,
        h(Link, { href: links.service(service) }, service),
        instance === null ? '' : `, instance ${instance}`,
        attempts > 1 ? `, after ${plural(attempts, 'attempt')}${retried === null ? '' : ` (${retried})`}` : '',
      ),
    ])
  if (attempts === 0)
    steps.push([
      'Service',
      service === null
        ? 'none: the gateway replied by itself'
        : `${service} was not asked: a policy, or the cache, replied`,
    ])
  steps.push([
    'Reply',
    `${status}${error === null ? '' : `: ${error}`}${grpcStatus === null ? '' : `, gRPC status ${grpcStatus}`}, ${octets(bytes)}`,
  ])
  return steps
}
