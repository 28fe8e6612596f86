import { Fragment, h, type ComponentChildren } from 'preact'
import type { Request, RequestDetails } from '../answers.ts'
import { decisionWords } from '../decisions.ts'
import { milliseconds, moment, byteSize, plural } from '../format.ts'
import { useHas, usePolled } from '../hooks.ts'
import { links, statusTone } from '../names.ts'
import { Copy } from '../parts/actions.ts'
import { Empty, Facts, Head, Panel } from '../parts/layout.ts'
import { Badge, Link, Time } from '../parts/marks.ts'
import { Failure, Waiting } from '../parts/notes.ts'
import { Table } from '../parts/table.ts'
import { explainLink } from './explain/question.ts'
import { shownRequest } from './requests.ts'

/** The requests with a correlation id, from arrival to reply. */
export function OneRequest({ id }: { id: string }): ComponentChildren {
  const { data, error } = usePolled<{ requests: RequestDetails[] }>(`/requests/${encodeURIComponent(id)}`, 15_000)
  const forgotten = error?.status === 404
  const shown = shownRequest(id)
  return h(
    Fragment,
    null,
    h('nav', { class: 'crumbs', 'aria-label': 'Breadcrumb' }, h(Link, { href: '/console/requests' }, 'Requests')),
    h(Head, {
      title: 'One request',
      about: h('span', null, 'Correlation ID ', h('code', null, id)),
      children: h(Copy, { text: id, label: 'Copy the ID' }),
    }),
    error !== null &&
      !forgotten &&
      error.status !== 401 &&
      h(Failure, { title: 'The request cannot be shown.', error }),
    data !== null
      ? data.requests.map((request, i) => h(Story, { key: i, request, details: request }))
      : forgotten
        ? shown === undefined
          ? h(
              Empty,
              { title: 'This request is no longer kept' },
              'Each worker keeps the last admin.requests requests. Look for the correlation ID in the log.',
            )
          : h(Story, { request: shown, details: null })
        : error === null && h(Panel, null, h(Waiting, { lines: 6 })),
  )
}

interface StoryProps {
  readonly request: Request
  /** Null if the gateway has forgotten it, and only the data from the list is known. */
  readonly details: RequestDetails | null
}

function Story({ request, details }: StoryProps): ComponentChildren {
  const { method, host, path, query, status, time } = request
  const has = useHas()
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
      details !== null && h('p', { class: 'story-cause' }, details.cause),
      h(Times, { request, details }),
      h(
        'ol',
        { class: 'story' },
        storyOf(request, details).map(([title, text], i) =>
          h('li', { key: i }, h('strong', null, title), h('span', null, text)),
        ),
      ),
      details?.events === null &&
        h(
          'p',
          { class: 'quiet' },
          'The decisions of policies were not recorded: this requires log.access.timings or a sampled trace.',
        ),
    ),
    details !== null && details.tried.length > 0 && h(Attempts, { details }),
    h(
      Panel,
      { title: 'Details' },
      h(Facts, {
        facts: [
          ['Started', h(Time, { at: time }, moment(time))],
          ['Client', request.client],
          ['User agent', details === null ? 'no longer kept' : (details.userAgent ?? 'none')],
          ['Protocol', `HTTP/${request.protocol}`],
          ['Consumer', request.consumer ?? 'anonymous'],
          ['Tier', request.tier ?? '–'],
          ['API key', request.apiKey ?? '–'],
          ['Trace ID', request.traceId === '' ? '–' : h('code', null, request.traceId)],
          ['Bytes sent', byteSize(request.bytes)],
          ...Object.entries(details?.fields ?? {}),
        ],
      }),
    ),
  )
}

/** How its time was spent. */
function Times({ request: { durationMs, serviceMs }, details }: StoryProps): ComponentChildren {
  const min = durationMs / 50
  const parts: readonly (readonly [kind: string, name: string, ms: number])[] =
    details === null
      ? [
          ['own', 'everything else', Math.max(0, durationMs - serviceMs)],
          ['service', 'services', serviceMs],
        ]
      : [
          ['own', 'gateway', details.gatewayMs],
          ['client', 'waiting for the client', details.clientMs],
          ['service', 'services', serviceMs],
          ['sending', 'sending the reply', details.sendingMs],
        ]
  const shown = parts.filter(([kind, , ms]) => ms > 0 || kind === 'own')
  return h(
    Fragment,
    null,
    h(
      'div',
      {
        class: 'split-bar',
        role: 'img',
        'aria-label': shown.map(([, name, ms]) => `${name} ${milliseconds(ms)}`).join(', '),
      },
      shown.map(([kind, , ms]) =>
        h('span', {
          key: kind,
          class: `split-${kind}`,
          style: { flexGrow: String(Math.max(ms, min) / durationMs || 1) },
        }),
      ),
    ),
    h(
      'p',
      { class: 'split-words' },
      shown.map(([kind, name, ms]) =>
        h('span', { key: kind }, h('i', { class: `key ${kind}` }), `${name} ${milliseconds(ms)}`),
      ),
      h('span', { class: 'quiet' }, `total ${milliseconds(durationMs)}`),
    ),
  )
}

function Attempts({ details: { tried, attempts, retried } }: { details: RequestDetails }): ComponentChildren {
  return h(
    Panel,
    {
      title: 'Attempts',
      aside: `${plural(attempts, 'attempt')}${retried === null ? '' : `, retried: ${retried}`}`,
      flush: true,
    },
    h(Table<RequestDetails['tried'][number] & { readonly number: number }>, {
      label: 'Attempts',
      rows: tried.map((attempt, i) => ({ ...attempt, number: i })),
      keyOf: ({ number }) => String(number),
      columns: [
        { head: 'Instance', cell: ({ instance }) => h('strong', null, instance) },
        {
          head: 'Outcome',
          cell: ({ reason, phase, status }) =>
            reason === null
              ? h(Badge, { tone: statusTone(status ?? 500) }, status === null ? 'no reply' : String(status))
              : h(Badge, { tone: 'critical' }, `${reason}${phase === null || phase === reason ? '' : ` at ${phase}`}`),
        },
        { head: 'Duration', numeric: true, cell: ({ tookMs }) => milliseconds(tookMs) },
        { head: 'Why', cell: ({ error }) => error ?? h('span', { class: 'quiet' }, '–') },
      ],
    }),
  )
}

type Step = readonly [title: string, text: string | ComponentChildren]

function storyOf(request: Request, details: RequestDetails | null): readonly Step[] {
  const { client, protocol, host, route, consumer, apiKey, tier, status, error, grpcStatus, bytes } = request
  const detail = details?.detail ?? null
  return [
    ['Arrived', `from ${client} over HTTP/${protocol}${host === '' ? '' : `, for ${host}`}`],
    ['Route', route === null ? 'no route matches' : h(Link, { href: links.route(route) }, route)],
    [
      'Who',
      consumer === null
        ? 'anonymous'
        : `${consumer}${apiKey === null ? '' : `, by the API key ${apiKey}`}${tier === null ? '' : `, tier ${tier}`}`,
    ],
    ...(details?.events ?? []).map(decisionWords),
    ['Service', serviceOf(request, details?.storedAge ?? null)],
    [
      'Reply',
      `${status}${error === null ? '' : `: ${error}`}${detail === null ? '' : `: ${detail}`}${grpcStatus === null ? '' : `, gRPC status ${grpcStatus}`}, ${byteSize(bytes)}`,
    ],
  ]
}

function serviceOf({ service, instance, attempts, retried }: Request, storedAge: number | null): ComponentChildren {
  if (service === null) return 'none: the gateway replied itself'
  if (attempts === 0)
    return storedAge === null ? `${service}: not reached` : `${service}: not asked, the reply was stored`
  return h(
    'span',
    null,
    h(Link, { href: links.service(service) }, service),
    instance === null ? '' : `, instance ${instance}`,
    attempts > 1 ? `, after ${plural(attempts, 'attempt')}${retried === null ? '' : ` (${retried})`}` : '',
  )
}
