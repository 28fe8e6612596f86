import { type ComponentChildren, Fragment, h } from 'preact'
import type { Explanation } from './answers.ts'
import { count } from '../../format.ts'
import { links, statusTone } from '../../names.ts'
import { Copy } from '../../parts/actions.ts'
import { Empty, Facts, Panel } from '../../parts/layout.ts'
import { Badge, Link } from '../../parts/marks.ts'
import { Table } from '../../parts/table.ts'
import { Step } from './step.ts'

/** The outcome of a request, and how it came about. */
export function Explained({ answer }: { answer: Explanation }): ComponentChildren {
  const { outcome, status, code, detail, service, route, path, routes, policies, sent, reply, notes, consumer, leads } =
    answer
  const next = service?.instances.find((instance) => instance.next)
  return h(
    Fragment,
    null,
    h(
      Panel,
      null,
      h(
        'div',
        { class: 'story-head' },
        outcome === 'sent'
          ? h(Badge, { tone: 'good' }, 'forwarded')
          : h(Badge, { tone: statusTone(status ?? 500) }, String(status)),
        h(
          'strong',
          { class: 'verdict' },
          outcome === 'sent'
            ? `It would go to ${service?.name ?? 'its service'}${next === undefined ? '' : `, instance ${next.address}`}.`
            : `The gateway would reply ${status}${code === null ? '' : ` (${code})`}.`,
        ),
      ),
      detail !== null && h('p', null, detail),
      h(Facts, {
        facts: [
          [
            'Path',
            path.refused === null ? h('code', null, path.normal ?? path.written) : `${path.written}: ${path.refused}`,
          ],
          ['Route', route === null ? 'no route matches' : h(Link, { href: links.route(route.id) }, route.id)],
          ['Consumer', consumer === null ? 'anonymous' : `${consumer.id}, tier ${consumer.tier}`],
          ['Listener', answer.listener === '' ? 'unnamed' : answer.listener],
          ...(leads.length === 0 ? [] : [['Destination', leads.join('; ')] as const]),
        ],
      }),
      notes.length > 0 &&
        h(
          'ul',
          { class: 'effects' },
          notes.map((note) => h('li', { key: note }, note)),
        ),
    ),
    h(
      Panel,
      {
        title: 'Routes that were tried',
        aside: routes.others === 0 ? '' : `${count(routes.others)} more are for other paths`,
        flush: true,
      },
      routes.candidates.length === 0
        ? h(Empty, { title: 'No route matches that path' })
        : h(Table<Explanation['routes']['candidates'][number]>, {
            label: 'Routes that were tried',
            rows: routes.candidates,
            keyOf: (candidate) => `${candidate.route} ${candidate.pattern} ${candidate.host} ${candidate.listener}`,
            columns: [
              {
                head: 'Route',
                cell: (candidate) => h(Link, { href: links.route(candidate.route), class: 'strong' }, candidate.route),
              },
              {
                head: 'Pattern',
                cell: ({ pattern, host }) => h('code', null, host === null ? pattern : `${host} ${pattern}`),
              },
              {
                head: 'Why',
                cell: ({ selected, lacks }) =>
                  selected
                    ? h(Badge, { tone: 'good' }, 'selected')
                    : lacks.length === 0
                      ? h('span', { class: 'quiet' }, 'another route takes precedence')
                      : lacks.join('; '),
              },
            ],
          }),
    ),
    h(
      Panel,
      { title: 'Policies', aside: 'Outermost first' },
      policies.length === 0
        ? h(Empty, { title: 'No policies' })
        : h(
            'ol',
            { class: 'policies' },
            policies.map((policy) => h(Step, { key: policy.name, policy })),
          ),
    ),
    service !== null &&
      h(
        Panel,
        {
          title: `Instances of ${service.name}`,
          aside: `${service.balancer}${service.limit === null ? '' : `, at most ${service.limit} at a time`}`,
          flush: true,
        },
        h(Table<(typeof service)['instances'][number]>, {
          label: `Instances of ${service.name}`,
          rows: service.instances,
          keyOf: ({ address }) => address,
          columns: [
            { head: 'Instance', cell: ({ address }) => h('strong', null, address) },
            {
              head: 'State',
              cell: ({ state, unusable }) =>
                unusable === null ? h(Badge, { tone: 'good' }, state) : h(Badge, { tone: 'warning' }, unusable),
            },
            { head: 'Weight', numeric: true, cell: ({ weight }) => String(weight) },
            { head: 'In flight', numeric: true, cell: ({ inFlight }) => String(inFlight) },
            {
              head: 'Next',
              cell: ({ next: isNext }) =>
                isNext ? h(Badge, { tone: 'notice' }, 'would be selected') : h('span', { class: 'quiet' }, '–'),
            },
          ],
        }),
      ),
    sent !== null &&
      h(Message, {
        title: 'The request to the service',
        text: [
          `${sent.method} ${sent.target}`,
          `Host: ${sent.host}`,
          ...sent.fields.map(({ name, value }) => `${name}: ${value}`),
        ].join('\n'),
      }),
    reply.length > 0 &&
      h(Message, {
        title: outcome === 'sent' ? 'Headers that the gateway adds to the reply' : 'The reply',
        text: reply.map(({ name, value }) => `${name}: ${value}`).join('\n'),
      }),
  )
}

function Message({ title, text }: { title: string; text: string }): ComponentChildren {
  return h(Panel, { title, aside: h(Copy, { text }) }, h('pre', { class: 'code', tabIndex: 0 }, text))
}
