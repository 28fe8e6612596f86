import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { ApiKey, ApiKeys, ManualEdit, RevokedKeys } from './answers.ts'
import type { ConfigStatus } from '../../answers.ts'
import { Awaited } from '../../changes/awaited.ts'
import { callApi } from '../../client.ts'
import { ago, day } from '../../format.ts'
import { useLive, useNow, usePolled } from '../../hooks.ts'
import { ActionButton, Confirm, type Question } from '../../parts/actions.ts'
import { Empty, Panel } from '../../parts/layout.ts'
import { Badge, Tag, Time } from '../../parts/marks.ts'
import { Loaded, Failure, Note } from '../../parts/notes.ts'
import { Table } from '../../parts/table.ts'
import { type Said, saidOf } from '../../said.ts'
import { CreateKey } from './create-key.ts'
import { ChangeDialog } from './manual-edit.ts'
import { RotateKey } from './rotate-key.ts'

/** The current action, shown in a dialog. */
type Doing =
  | { readonly what: 'create' }
  | { readonly what: 'rotate'; readonly key: ApiKey }
  | { readonly what: 'revoke'; readonly question: Question }

/** The API keys of the configuration and its Redis, which can be made, rotated and revoked here. */
export function Keys(): ComponentChildren {
  const live = useLive()
  const polled = usePolled<ApiKeys>('/keys', 15_000, live.changes)
  const status = usePolled<ConfigStatus>('/config/status', 5000, live.changes)
  const now = useNow()
  const [doing, setDoing] = useState<Doing | null>(null)
  const [change, setChange] = useState<{ readonly title: string; readonly change: ManualEdit } | null>(null)
  const [said, setSaid] = useState<Said | null>(null)
  const close = (): void => setDoing(null)
  const begin = (next: Doing): void => {
    setSaid(null)
    setDoing(next)
  }
  const again = (): void => polled.again()
  const revoked =
    (key: ApiKey) =>
    (answer: RevokedKeys): void => {
      const { configuration } = answer
      again()
      if (configuration !== null) setChange({ title: `Revoke ${nameOf(key)}`, change: configuration })
      else setSaid(saidOf(`${nameOf(key)} is revoked.`, answer))
    }
  const store = polled.data?.store ?? null
  const panel = h(
    Panel,
    {
      title: 'API keys',
      flush: true,
      ...(store !== null && {
        aside: h(
          ActionButton,
          { method: 'POST', path: '/keys', onClick: () => begin({ what: 'create' }) },
          'Create a key',
        ),
      }),
    },
    said !== null && h(Note, { tone: said.tone }, said.text),
    h(Loaded<ApiKeys>, {
      polled,
      what: 'The API keys',
      lines: 3,
      children: ({ keys, redis }) =>
        h(
          Fragment,
          null,
          redis !== null &&
            redis.problem !== null &&
            h(Failure, { title: 'The keys in Redis cannot be listed.', error: redis.problem }),
          keys.length === 0
            ? h(None, { store, lost: redis?.problem ?? null })
            : h(KeyTable, {
                keys,
                rotate: (key) => begin({ what: 'rotate', key }),
                revoke: (key) => begin({ what: 'revoke', question: revocationOf(key, keys, revoked(key)) }),
              }),
        ),
    }),
    doing?.what === 'create' && h(CreateKey, { store: store ?? 'configuration', close, again }),
    doing?.what === 'rotate' && h(RotateKey, { known: doing.key, close, again }),
    doing?.what === 'revoke' && h(Confirm, { question: doing.question, close }),
    change !== null && h(ChangeDialog, { ...change, close: () => setChange(null) }),
  )
  const { data } = status
  return h(Fragment, null, data !== null && h(Awaited, { status: data, now, again: status.again }), panel)
}

/** The question before a key is revoked: only that key if its prefix is known, even if the list of keys is out of date. */
function revocationOf(key: ApiKey, keys: readonly ApiKey[], done: (answer: RevokedKeys) => void): Question {
  const others = keys.some((each) => each !== key && each.id === key.id)
  const only = key.prefix !== null ? `?${new URLSearchParams({ prefix: key.prefix })}` : ''
  const all = others && only === ''
  return {
    title: all ? `Revoke all keys ${key.id}?` : `Revoke ${nameOf(key)}?`,
    text:
      key.store === 'redis'
        ? 'All gateways on the same Redis refuse it at once. This cannot be undone.'
        : 'The key is in the configuration: you get a patch for the file. The key is refused once the gateway has reloaded it.',
    action: 'Revoke',
    danger: key.store === 'redis',
    run: async () => {
      done(await callApi<RevokedKeys>(`/keys/${encodeURIComponent(key.id)}${only}`, { method: 'DELETE' }))
    },
  }
}

function nameOf({ id, prefix }: ApiKey): string {
  return prefix === null ? id : `${id} (${prefix}…)`
}

function None({ store, lost }: { store: ApiKeys['store']; lost: string | null }): ComponentChildren {
  if (lost !== null) return null
  return store === null
    ? h(
        Empty,
        { title: 'No route accepts API keys' },
        'Add the method ',
        h('code', null, 'api-key'),
        ' to the auth policy, and clients can authenticate with a key.',
      )
    : h(Empty, { title: 'There are no API keys' }, 'No request is accepted with an API key until one is created.')
}

function KeyTable({
  keys,
  rotate,
  revoke,
}: {
  keys: readonly ApiKey[]
  rotate: (key: ApiKey) => void
  revoke: (key: ApiKey) => void
}): ComponentChildren {
  const now = useNow()
  return h(Table<ApiKey>, {
    label: 'API keys',
    rows: keys,
    keyOf: ({ id, prefix, store, createdAt, expiresAt }) => [id, prefix, store, createdAt, expiresAt].join(' '),
    columns: [
      {
        head: 'Key',
        sort: ({ id }) => id,
        cell: ({ id, prefix, owner, replaced }) =>
          h(
            'div',
            { class: 'name-cell' },
            h(
              'span',
              null,
              h('a', { href: `/console/clients?${new URLSearchParams({ client: `key:${id}` })}`, class: 'strong' }, id),
              replaced && h(Badge, { tone: 'notice' }, 'replaced'),
            ),
            prefix !== null && h('code', { class: 'quiet' }, `${prefix}…`),
            owner !== id && h('span', { class: 'quiet' }, `of ${owner}`),
          ),
      },
      {
        head: 'Tier and roles',
        wide: true,
        sort: ({ tier }) => tier,
        cell: ({ tier, roles }) =>
          h(
            'span',
            { class: 'tags broad' },
            [tier, ...roles].map((word, i) => h(Tag, { key: `${i} ${word}` }, word)),
          ),
      },
      {
        head: 'Created',
        wide: true,
        sort: ({ createdAt }) => createdAt ?? '',
        cell: ({ createdAt: at }) => (at === null ? '–' : h(Time, { at }, day(at))),
      },
      { head: 'Expires', sort: ({ expiresAt }) => expiresAt ?? '~', cell: (key) => h(Expiry, { shown: key, now }) },
      {
        head: 'Last used',
        sort: ({ lastUsedAt }) => lastUsedAt ?? '',
        cell: ({ lastUsedAt: at }) =>
          at === null
            ? h('span', { class: 'quiet', title: 'Not used at this gateway since it started' }, 'not used')
            : h(Time, { at }, ago(at, now)),
      },
      { head: 'Store', wide: true, sort: ({ store }) => store, cell: ({ store }) => store },
      {
        head: 'Actions',
        cell: (key) =>
          h(
            'span',
            { class: 'row-actions' },
            !key.replaced &&
              h(
                ActionButton,
                {
                  method: 'POST',
                  path: '/keys/{id}/rotate',
                  class: 'button small',
                  label: `Rotate ${nameOf(key)}`,
                  disabled: key.expiresAt !== null && Date.parse(key.expiresAt) <= now,
                  onClick: () => rotate(key),
                },
                'Rotate',
              ),
            h(
              ActionButton,
              {
                method: 'DELETE',
                path: '/keys/{id}',
                // The patch shows lines of the file.
                role: key.store === 'configuration' ? 'admin' : undefined,
                class: 'button small',
                label: `Revoke ${nameOf(key)}`,
                onClick: () => revoke(key),
              },
              'Revoke',
            ),
          ),
      },
    ],
  })
}

function Expiry({ shown: { expiresAt: at, replaced }, now }: { shown: ApiKey; now: number }): ComponentChildren {
  if (at === null) return 'never'
  const time = h(Time, { at }, day(at))
  return Date.parse(at) <= now ? h(Badge, { tone: replaced ? 'plain' : 'critical' }, 'expired ', time) : time
}
