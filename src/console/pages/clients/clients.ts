import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { Limit, LimitedClient } from './answers.ts'
import { callApi } from '../../client.ts'
import { ago, count, duration, share } from '../../format.ts'
import { useLive, useNow, usePolled } from '../../hooks.ts'
import { ActionButton, Confirm, type Question } from '../../parts/actions.ts'
import { Figure } from '../../parts/figures.ts'
import { Empty, Head, Panel } from '../../parts/layout.ts'
import { Badge, Time } from '../../parts/marks.ts'
import { Loaded, Failure, Note } from '../../parts/notes.ts'
import { Table } from '../../parts/table.ts'
import { counted, periodOf } from '../../rates.ts'
import { type OnReplicas, type Said, saidOf } from '../../said.ts'
import { go } from '../../place.ts'
import { links } from '../../names.ts'
import { Keys } from './keys.ts'

const REFUSED = new Set(['refused', 'denied', 'limited'])

/** The callers and the state of their limits. */
export function Clients({ query }: { query: URLSearchParams }): ComponentChildren {
  const live = useLive()
  const decisions = 'sallyport_rate_limit_decisions_total'
  const refused = counted(live.windows, decisions, ({ outcome }) => REFUSED.has(outcome ?? ''))
  const all = counted(live.windows, decisions)
  return h(
    Fragment,
    null,
    h(Head, { title: 'Clients', about: 'Rate limits by client, and API keys.' }),
    h(
      'div',
      { class: 'figures' },
      h(Figure, { name: 'Rate limit decisions', value: count(all), about: periodOf(live.windows) }),
      h(Figure, {
        name: 'Refused with 429',
        value: count(refused),
        ...(refused > 0 && { tone: 'warning' as const }),
        about: periodOf(live.windows),
      }),
    ),
    h(Lookup, { client: query.get('client') ?? '' }),
    h(Limited, null),
    h(Keys, null),
  )
}

function Lookup({ client }: { client: string }): ComponentChildren {
  const [typed, setTyped] = useState<string | null>(null)
  const polled = usePolled<{ limits: Limit[] }>(
    client === '' ? null : `/limits/${encodeURIComponent(client)}?all=true`,
    3000,
  )
  const [question, setQuestion] = useState<Question | null>(null)
  const [said, setSaid] = useState<Said | null>(null)
  const look = (event: Event): void => {
    event.preventDefault()
    setSaid(null)
    const wanted = (typed ?? client).trim()
    setTyped(null)
    go(wanted === '' ? '/console/clients' : `/console/clients?${new URLSearchParams({ client: wanted })}`)
  }
  const reset = (): void =>
    setQuestion({
      title: `Reset the limits of ${client}?`,
      text: 'Its usage is set to zero.',
      action: 'Reset',
      run: async () => {
        const answer = await callApi<OnReplicas>(`/limits/${encodeURIComponent(client)}`, { method: 'DELETE' })
        setSaid(saidOf(`The limits of ${client} are reset.`, answer))
        polled.again()
      },
    })
  return h(
    Panel,
    { title: 'Limits of one client' },
    h(
      'form',
      { class: 'filters', role: 'search', onSubmit: look },
      h(
        'label',
        { class: 'field grow' },
        h('span', null, 'Client'),
        h('input', {
          type: 'text',
          placeholder: 'user:42, key:partner or 192.0.2.1',
          // Links lead to other clients.
          value: typed ?? client,
          autoComplete: 'off',
          spellCheck: false,
          onInput: ({ currentTarget }: { currentTarget: HTMLInputElement }) => setTyped(currentTarget.value),
        }),
      ),
      h('button', { type: 'submit', class: 'button primary' }, 'Look up'),
    ),
    said !== null && h(Note, { tone: said.tone }, said.text),
    client === ''
      ? h('p', { class: 'quiet' }, 'A user ID, an API key ID, or an address, as limits count them.')
      : polled.error !== null && polled.data === null
        ? h(Failure, { title: '', error: polled.error })
        : h(Loaded<{ limits: Limit[] }>, {
            polled,
            what: 'The limits',
            lines: 2,
            children: ({ limits }) =>
              h(
                Fragment,
                null,
                h(Limits, { limits }),
                limits.length > 0 &&
                  h(
                    'div',
                    { class: 'actions start' },
                    h(ActionButton, { method: 'DELETE', path: '/limits/{client}', onClick: reset }, 'Reset its limits'),
                    h(
                      'a',
                      {
                        class: 'button quiet',
                        href: links.requests({ consumer: client.replace(/^(?:user|key):/, '') }),
                      },
                      'Its requests',
                    ),
                  ),
              ),
          }),
    question !== null && h(Confirm, { question, close: () => setQuestion(null) }),
  )
}

/** The callers near or over their limits. */
function Limited(): ComponentChildren {
  const now = useNow()
  const polled = usePolled<{ clients: LimitedClient[]; more: number }>('/limits', 3000)
  return h(
    Panel,
    { title: 'Near or over their limits', aside: 'Counts only requests to this gateway', flush: true },
    h(Loaded<{ clients: LimitedClient[]; more: number }>, {
      polled,
      what: 'The clients',
      lines: 2,
      children: ({ clients, more }) =>
        clients.length === 0
          ? h(
              Empty,
              { title: 'No client is near its limits' },
              'Clients that have used 80% or more of a limit appear here.',
            )
          : h(
              Fragment,
              null,
              h(Table<LimitedClient>, {
                label: 'Clients near their limits',
                rows: clients,
                keyOf: ({ client, limit, store }) => `${client} ${limit} ${store}`,
                columns: [
                  {
                    head: 'Client',
                    sort: ({ client }) => client,
                    cell: ({ client }) =>
                      h('a', { href: `/console/clients?${new URLSearchParams({ client })}`, class: 'strong' }, client),
                  },
                  { head: 'Limit', sort: ({ limit }) => limit, cell: ({ limit }) => limit },
                  {
                    head: 'Used',
                    sort: (each) => each.share,
                    cell: (each) =>
                      h(
                        'span',
                        { class: 'ratio' },
                        h(
                          'span',
                          { class: each.limited ? 'meter full' : 'meter', 'aria-hidden': true },
                          h('span', { style: { width: `${Math.round(each.share * 100)}%` } }),
                        ),
                        share(each.share),
                      ),
                  },
                  {
                    head: 'Now',
                    cell: ({ limited }) =>
                      h(Badge, { tone: limited ? 'warning' : 'good' }, limited ? 'refused' : 'accepted'),
                  },
                  {
                    head: 'Refused',
                    numeric: true,
                    sort: ({ refused }) => refused,
                    cell: ({ refused }) => count(refused),
                  },
                  {
                    head: 'Last seen',
                    wide: true,
                    sort: ({ lastSeenAt }) => Date.parse(lastSeenAt),
                    cell: ({ lastSeenAt: at }) => h(Time, { at }, ago(at, now)),
                  },
                ],
              }),
              more > 0 && h('p', { class: 'table-foot quiet' }, `and ${count(more)} more`),
            ),
    }),
  )
}

interface Row {
  readonly key: string
  readonly name: string
  readonly store: string
  readonly quota: NonNullable<Limit['quotas']>[number] | null
}

function Limits({ limits }: { limits: readonly Limit[] }): ComponentChildren {
  const rows = limits.flatMap(({ name, store, quotas }): Row[] =>
    quotas === null
      ? [{ key: name, name, store, quota: null }]
      : quotas.map((quota) => ({ key: `${name} ${quota.windowSeconds}`, name, store, quota })),
  )
  if (rows.length === 0)
    return h(
      Empty,
      { title: 'No limit applies to this client' },
      'No route uses the rate-limit policy, or none of its tiers is for this kind of client.',
    )
  return h(Table<Row>, {
    label: 'Limits',
    rows,
    keyOf: ({ key }) => key,
    columns: [
      { head: 'Limit', cell: ({ name }) => h('strong', null, name) },
      {
        head: 'Used',
        cell: ({ quota }) =>
          quota === null
            ? h(Badge, { tone: 'critical' }, 'Redis does not respond')
            : h(
                'span',
                { class: 'ratio' },
                h(
                  'span',
                  { class: quota.remaining === 0 ? 'meter full' : 'meter', 'aria-hidden': true },
                  h('span', { style: { width: `${Math.min(100, Math.round((quota.used / quota.limit) * 100))}%` } }),
                ),
                `${count(quota.used)} of ${count(quota.limit)}`,
              ),
      },
      { head: 'Within', cell: ({ quota }) => (quota === null ? '–' : duration(quota.windowSeconds)) },
      {
        head: 'Now',
        cell: ({ quota }) =>
          quota === null
            ? '–'
            : quota.waitSeconds > 0
              ? h(Badge, { tone: 'warning' }, `refused for ${duration(Math.ceil(quota.waitSeconds))}`)
              : h(Badge, { tone: 'good' }, 'accepted'),
      },
      { head: 'Store', wide: true, cell: ({ store }) => store },
    ],
  })
}
