import { Fragment, h, type ComponentChildren } from 'preact'
import type { Replica, Replicas as Answer } from '../answers.ts'
import { ago, duration, plural, short } from '../format.ts'
import { useNow, usePolled } from '../hooks.ts'
import { Panel } from '../parts/layout.ts'
import { Badge, Tag, Time, type Tone } from '../parts/marks.ts'
import { Loaded } from '../parts/notes.ts'
import { type Column, Table } from '../parts/table.ts'

const READINESS: Readonly<Record<Replica['readiness'], readonly [word: string, tone: Tone]>> = {
  starting: ['starting', 'notice'],
  ready: ['ready', 'good'],
  draining: ['draining', 'warning'],
}

/** The gateways that share this one's Redis. */
export function Replicas(): ComponentChildren {
  const now = useNow(1000)
  const polled = usePolled<Answer>('/replicas', 5000)
  return h(
    Panel,
    { title: 'Replicas', aside: 'Gateways on the same Redis' },
    h(Loaded<Answer>, {
      polled,
      what: 'The replicas',
      lines: 2,
      children: ({ replicas, problems, unreached }) =>
        h(
          Fragment,
          null,
          unreached !== null && h('p', { class: 'note warning', role: 'status' }, unreached, '.'),
          h(Differing, { replicas }),
          h(Table<Replica>, {
            label: 'Replicas',
            columns: columnsOf(replicas, now),
            rows: replicas,
            keyOf: ({ name, startedAt }) => `${name} ${startedAt}`,
          }),
          problems.map(({ name, problem }) =>
            h('p', { key: name, class: 'quiet' }, `${name} does not describe itself: ${problem}.`),
          ),
        ),
    }),
  )
}

/** The differences between the gateways, in words. */
function Differing({ replicas }: { replicas: readonly Replica[] }): ComponentChildren {
  const others = replicas.filter(({ answers, isCurrent }) => answers && !isCurrent).length
  if (others === 0) return null
  const who = `${plural(others, 'replica runs', 'replicas run')} a different configuration.`
  return h('p', { class: 'note warning', role: 'status' }, who)
}

function columnsOf(replicas: readonly Replica[], now: number): Column<Replica>[] {
  const own = replicas.find(({ self }) => self)
  return [
    {
      head: 'Replica',
      cell: ({ name, self, console: href }) =>
        h(
          'div',
          { class: 'name-cell' },
          href === null || self
            ? h('strong', null, name)
            : h('a', { href, class: 'strong', target: '_blank', rel: 'noreferrer' }, name),
          self && h('span', null, h(Tag, null, 'this one')),
        ),
    },
    {
      head: 'State',
      cell: ({ answers, readiness }) => {
        const [word, tone] = answers ? READINESS[readiness] : (['does not respond', 'critical'] as const)
        return h(Badge, { tone }, word)
      },
    },
    {
      head: 'Configuration',
      cell: ({ revision, since, isCurrent }) =>
        h(
          'div',
          { class: 'name-cell' },
          h(
            'span',
            null,
            h('code', { title: revision }, short(revision)),
            !isCurrent && h(Fragment, null, ' ', h(Badge, { tone: 'warning' }, 'differs')),
          ),
          h('span', { class: 'quiet' }, 'applied ', h(Time, { at: since }, ago(since, now))),
        ),
    },
    {
      head: 'Version',
      cell: ({ version }) =>
        version === own?.version ? version : h(Fragment, null, version, ' ', h(Badge, { tone: 'warning' }, 'differs')),
    },
    {
      head: 'Up',
      numeric: true,
      wide: true,
      cell: ({ startedAt, answers }) => (answers ? duration((now - Date.parse(startedAt)) / 1000) : '–'),
    },
    {
      head: 'Last seen',
      numeric: true,
      cell: ({ lastSeen, answers }) => (answers ? 'now' : h(Time, { at: lastSeen }, ago(lastSeen, now))),
    },
  ]
}
