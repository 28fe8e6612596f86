import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { ConfigStatus } from '../../answers.ts'
import { ago, moment, plural, short } from '../../format.ts'
import { useLive, useNow, usePolled } from '../../hooks.ts'
import { originOf } from '../../origin.ts'
import { Confirm, type Question } from '../../parts/actions.ts'
import { Facts, Head, Panel } from '../../parts/layout.ts'
import { Time } from '../../parts/marks.ts'
import { Loaded } from '../../parts/notes.ts'
import { Awaited } from '../../changes/awaited.ts'
import { FilePlan } from './file-plan.ts'
import { Edit } from './edit.ts'
import { History } from './history.ts'
import { LastRewritten } from './rewritten.ts'
import { Problems } from '../../changes/refused.ts'

/** The running configuration, the problems of the last one that was read, and how to change it. */
export function Configuration(): ComponentChildren {
  const live = useLive()
  const now = useNow()
  const polled = usePolled<ConfigStatus>('/config/status', 3000, live.changes)
  const [question, setQuestion] = useState<Question | null>(null)
  const { again } = polled
  return h(
    Fragment,
    null,
    h(Head, { title: 'Configuration', about: 'The running configuration, and ways to change it.' }),
    h(Loaded<ConfigStatus>, {
      polled,
      what: 'The state of the configuration',
      children: (status) =>
        h(
          Fragment,
          null,
          h(Awaited, { status, now, again }),
          !status.current &&
            status.lastReload !== null &&
            h(
              Panel,
              { title: `The last configuration was refused ${ago(status.lastReload.at, now)}` },
              h('p', null, 'Nothing has changed: the gateway keeps the previous configuration.'),
              h(Problems, { problems: status.lastReload.problems }),
            ),
          h(Panel, { title: 'Running' }, h(Facts, { facts: factsOf(status, now) })),
          status.warnings.length > 0 &&
            h(
              Panel,
              { title: plural(status.warnings.length, 'warning') },
              h('p', null, 'The configuration is in effect, but parts of it may not do what was intended.'),
              h(Problems, { problems: status.warnings }),
            ),
          h(FilePlan, { status, again, ask: setQuestion }),
          h(Edit, { status, again }),
          h(History, { status, again, ask: setQuestion, now }),
        ),
    }),
    question !== null && h(Confirm, { question, close: () => setQuestion(null) }),
  )
}

function factsOf(
  { revision, generation, since, origin, rewritten, workers, lastReload }: ConfigStatus,
  now: number,
): (readonly [string, ComponentChildren | string])[] {
  const behind = workers.filter((worker) => worker.generation !== generation)
  return [
    ['Revision', h('code', { title: revision }, short(revision))],
    ['In effect since', h(Time, { at: since }, `${moment(since)}, ${ago(since, now)}`)],
    ['Origin', originOf(origin)],
    ['Comments changed', h(LastRewritten, { rewritten, now })],
    ['Number', `${generation} in this process`],
    [
      'Workers',
      behind.length === 0 ? `all ${workers.length} use it` : `${plural(behind.length, 'worker')} still on an older one`,
    ],
    [
      'Last reload',
      lastReload === null
        ? 'none yet'
        : h(
            Time,
            { at: lastReload.at },
            `${OUTCOMES[lastReload.outcome] ?? lastReload.outcome}, ${ago(lastReload.at, now)}`,
          ),
    ],
  ]
}

const OUTCOMES: Readonly<Record<string, string>> = {
  applied: 'applied',
  unchanged: 'no changes',
  refused: 'refused',
  rolled_back: 'rolled back',
}
