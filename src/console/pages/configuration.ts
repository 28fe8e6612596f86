import { Fragment, h, type ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import type { ConfigStatus, Plan, PlannedChange, Problem } from '../answers.ts'
import { ask, Refusal } from '../client.ts'
import { ago, moment, plural, short } from '../format.ts'
import { useLive, useNow, usePolled } from '../hooks.ts'
import {
  ActionButton,
  Asked,
  Badge,
  Confirm,
  Copy,
  Empty,
  Facts,
  Failure,
  Head,
  Note,
  Panel,
  type Question,
  Table,
  Tag,
  Time,
  type Tone,
  Waiting,
} from '../parts.ts'
import { patchOf } from '../patch.ts'
import { yamlOf } from '../yaml.ts'
import { Awaited } from './awaited.ts'

/** How long a change may wait for its confirmation. */
const CONFIRM_WITHIN = ['30s', '1m', '5m', '15m'] as const

/** What the gateway runs with, what is wrong with the last one that was read, and how to change it. */
export function Configuration(): ComponentChildren {
  const live = useLive()
  const now = useNow()
  const polled = usePolled<ConfigStatus>('/config/status', 3000, live.changes)
  const [question, setQuestion] = useState<Question | null>(null)
  const { again } = polled
  return h(
    Fragment,
    null,
    h(Head, { title: 'Configuration', about: 'What the gateway runs with, and how to change it.' }),
    h(Asked<ConfigStatus>, {
      polled,
      what: 'The state of the configuration',
      children: (status) =>
        h(
          Fragment,
          null,
          status.awaitsConfirmation !== null && h(Awaited, { until: status.awaitsConfirmation.until, now, again }),
          !status.current &&
            status.lastReload !== null &&
            h(
              Panel,
              { title: `The last one was refused, ${ago(status.lastReload.at, now)}` },
              h('p', null, 'Nothing has changed: the gateway goes on with the one before.'),
              h(Problems, { problems: status.lastReload.problems }),
            ),
          h(Panel, { title: 'Running' }, h(Facts, { facts: factsOf(status, now) })),
          h(FilePlan, { status, again, ask: setQuestion }),
          h(Edit, { status, again, ask: setQuestion }),
          h(History, { status, again, ask: setQuestion, now }),
        ),
    }),
    question !== null && h(Confirm, { question, close: () => setQuestion(null) }),
  )
}

function factsOf(
  { revision, generation, since, workers, lastReload }: ConfigStatus,
  now: number,
): (readonly [string, ComponentChildren | string])[] {
  const behind = workers.filter((worker) => worker.generation !== generation)
  return [
    ['Revision', h('code', { title: revision }, short(revision))],
    ['In force since', h(Time, { at: since }, `${moment(since)}, ${ago(since, now)}`)],
    ['Number', `${generation} of this process`],
    [
      'Workers',
      behind.length === 0
        ? `all ${workers.length} use it`
        : `${plural(behind.length, 'worker')} still with an older one`,
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
  unchanged: 'nothing had changed',
  refused: 'refused',
  rolled_back: 'rolled back',
}

function Problems({ problems }: { problems: readonly Problem[] }): ComponentChildren {
  return h(
    'ul',
    { class: 'problems' },
    problems.map(({ file, line, column, path, message }, i) =>
      h(
        'li',
        { key: i },
        file !== null &&
          h(
            'code',
            { class: 'place' },
            `${file}${line === null ? '' : `:${line}${column === null ? '' : `:${column}`}`}`,
          ),
        path !== '' && h('code', { class: 'problem-path' }, path),
        h('span', null, message),
      ),
    ),
  )
}

interface Part {
  readonly status: ConfigStatus
  readonly again: () => void
  readonly ask: (question: Question) => void
}

/** What the file, as it is now, would change. */
function FilePlan({ status, again, ask: question }: Part): ComponentChildren {
  const [plan, setPlan] = useState<Plan | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [running, setRunning] = useState(false)
  const look = async (): Promise<void> => {
    setRunning(true)
    setError(null)
    try {
      setPlan(await ask<Plan>('/config/plan', { method: 'POST' }))
    } catch (thrown) {
      setPlan(null)
      setError(thrown)
    }
    setRunning(false)
  }
  const apply = (): void =>
    question({
      title: 'Apply the file as it is now?',
      text: 'All of it takes effect in all workers, or nothing.',
      action: 'Apply',
      run: async () => {
        await ask('/config/reload', { method: 'POST' })
        setPlan(null)
        again()
      },
    })
  return h(
    Panel,
    {
      title: 'The file',
      aside: h(
        ActionButton,
        { method: 'POST', path: '/config/plan', disabled: running, onClick: () => void look() },
        running ? 'Comparing …' : 'Compare with what is running',
      ),
    },
    error !== null && h(Refused, { error }),
    running && h(Waiting, { lines: 2 }),
    plan === null &&
      error === null &&
      !running &&
      h(
        'p',
        { class: 'quiet' },
        'Says what the file on the machine of the gateway would change, and what each change costs, without changing anything.',
      ),
    plan !== null &&
      !running &&
      h(
        Fragment,
        null,
        h(Planned, { plan }),
        !plan.same &&
          h(
            'div',
            { class: 'actions' },
            h(
              ActionButton,
              { method: 'POST', path: '/config/reload', class: 'button primary', onClick: apply },
              'Apply the file',
            ),
          ),
      ),
    status.awaitsConfirmation !== null &&
      h(
        'p',
        { class: 'quiet' },
        'A reload ends the wait for a confirmation: the file still has the configuration before.',
      ),
  )
}

/** Why the admin API does not do it; with every problem, where it says them. */
function Refused({ error }: { error: unknown }): ComponentChildren {
  if (!(error instanceof Refusal) || error.problems.length === 0)
    return h(Failure, { title: 'That was not done.', error })
  return h(
    'div',
    { role: 'alert' },
    h('div', { class: 'note critical' }, error.message),
    h(Problems, { problems: error.problems }),
  )
}

const CLASSES: Readonly<Record<PlannedChange['class'], readonly [word: string, tone: Tone]>> = {
  'needs-restart': ['needs a restart', 'critical'],
  'ends-tunnels': ['ends streams', 'warning'],
  'resets-state': ['forgets state', 'warning'],
  live: ['while it runs', 'good'],
}

/** A plan as a difference that can be read. */
function Planned({ plan }: { plan: Plan }): ComponentChildren {
  if (plan.same) return h(Note, { tone: 'good' }, 'It means the same as the running configuration.')
  return h(
    Fragment,
    null,
    h('p', null, `${plural(plan.changes.length, 'change')}:`),
    h(
      'ul',
      { class: 'changes' },
      plan.changes.map(({ kind, path, class: cost, before, after, effects, routes }) =>
        h(
          'li',
          { key: `${kind} ${path}`, class: 'change' },
          h(
            'div',
            { class: 'change-head' },
            h('code', null, path),
            h(Tag, null, kind),
            h(Badge, { tone: CLASSES[cost][1] }, CLASSES[cost][0]),
          ),
          h(
            'div',
            { class: 'difference' },
            kind !== 'added' && h('pre', { class: 'gone' }, marked('−', before)),
            kind !== 'removed' && h('pre', { class: 'come' }, marked('+', after)),
          ),
          h(
            'ul',
            { class: 'effects' },
            effects.map((effect) => h('li', { key: effect }, effect)),
          ),
          routes !== undefined &&
            routes.length > 0 &&
            h(
              'p',
              { class: 'quiet' },
              `Routes: ${routes.slice(0, 12).join(', ')}${routes.length > 12 ? ` and ${routes.length - 12} more` : ''}`,
            ),
        ),
      ),
    ),
    plan.warnings.length > 0 &&
      h(
        'ul',
        { class: 'problems' },
        plan.warnings.map(({ path, message }) =>
          h('li', { key: path + message }, h('code', { class: 'problem-path' }, path), h('span', null, message)),
        ),
      ),
  )
}

function marked(mark: string, value: unknown): string {
  return yamlOf(value)
    .trimEnd()
    .split('\n')
    .map((line) => `${mark} ${line}`)
    .join('\n')
}

interface Written {
  readonly file: string
  readonly text: string
  readonly masked: boolean
}

/** The text of the configuration, to be changed: applied where that is allowed, else as a patch. */
function Edit({ status, again, ask: question }: Part): ComponentChildren {
  const [written, setWritten] = useState<(Written & { readonly revision: string }) | null>(null)
  const [text, setText] = useState('')
  const [plan, setPlan] = useState<Plan | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [within, setWithin] = useState<string>('1m')
  const open = async (): Promise<void> => {
    setError(null)
    try {
      const got = await ask<Written>('/config/text')
      setWritten({ ...got, revision: status.revision })
      setText(got.text)
    } catch (thrown) {
      setError(thrown)
    }
  }
  const close = (): void => {
    setWritten(null)
    setPlan(null)
    setError(null)
  }
  if (written === null)
    return h(
      Panel,
      {
        title: 'Change it',
        aside: h('button', { type: 'button', class: 'button', onClick: () => void open() }, 'Edit the configuration'),
      },
      error !== null && h(Refused, { error }),
      h(
        'p',
        { class: 'quiet' },
        status.writable
          ? 'The text of the file, checked and compared before it is applied, and rolled back by itself unless you keep it.'
          : 'This gateway takes no configuration by HTTP (admin.writable): an edit ends in a patch to copy, for the file or its repository.',
      ),
    )
  const patch = patchOf(written.file, written.text, text)
  const compare = async (): Promise<void> => {
    setError(null)
    setPlan(null)
    try {
      setPlan(await ask<Plan>('/config/plan', { method: 'POST', text }))
    } catch (thrown) {
      setError(thrown)
    }
  }
  const apply = (): void =>
    question({
      title: 'Apply the change?',
      text: `It takes effect in all workers at once. It is rolled back by itself after ${within}, unless you keep it; only then it is written to ${written.file}.`,
      action: 'Apply',
      run: async () => {
        await ask(`/config?${new URLSearchParams({ confirm: within })}`, {
          method: 'PUT',
          text,
          ifMatch: `"${written.revision}"`,
        })
        close()
        again()
      },
    })
  return h(
    Panel,
    {
      title: `Change ${written.file}`,
      aside: h('button', { type: 'button', class: 'button', onClick: close }, 'Give up'),
    },
    written.masked && h(Note, { tone: 'notice' }, 'Secrets are shown as [redacted]: leave those lines as they are.'),
    h('textarea', {
      class: 'editor',
      spellCheck: false,
      'aria-label': `Text of ${written.file}`,
      rows: 24,
      value: text,
      onInput: ({ currentTarget }: { currentTarget: HTMLTextAreaElement }) => {
        setText(currentTarget.value)
        setPlan(null)
      },
    }),
    error !== null && h(Refused, { error }),
    // Masked text is for those who may not send it.
    status.writable && !written.masked
      ? h(
          Fragment,
          null,
          h(
            'div',
            { class: 'actions start' },
            h(
              ActionButton,
              { method: 'POST', path: '/config/plan', disabled: patch === '', onClick: () => void compare() },
              'Check and compare',
            ),
          ),
          plan !== null && h(Planned, { plan }),
          plan !== null &&
            !plan.same &&
            h(
              'div',
              { class: 'actions start' },
              h(
                'label',
                { class: 'field inline' },
                h('span', null, 'Roll back by itself after'),
                h(
                  'select',
                  {
                    value: within,
                    onChange: ({ currentTarget }: { currentTarget: HTMLSelectElement }) =>
                      setWithin(currentTarget.value),
                  },
                  CONFIRM_WITHIN.map((each) => h('option', { key: each, value: each }, each)),
                ),
              ),
              h(ActionButton, { method: 'PUT', path: '/config', class: 'button primary', onClick: apply }, 'Apply'),
            ),
        )
      : h(
          Fragment,
          null,
          h('h3', null, 'The patch'),
          patch === ''
            ? h('p', { class: 'quiet' }, 'Nothing is changed yet.')
            : h(
                Fragment,
                null,
                h('pre', { class: 'code', tabIndex: 0 }, patch),
                h('div', { class: 'actions start' }, h(Copy, { text: patch, label: 'Copy the patch' })),
              ),
        ),
  )
}

function History({ status, again, ask: question, now }: Part & { now: number }): ComponentChildren {
  const { earlier } = status
  const back = (): void =>
    question({
      title: 'Go back to the configuration before?',
      text: 'The text that was applied before is read with the variables and files of today, applied in all workers, and written to the file.',
      action: 'Go back',
      danger: true,
      run: async () => {
        await ask('/config/rollback', { method: 'POST', ifMatch: `"${status.revision}"` })
        again()
      },
    })
  return h(
    Panel,
    {
      title: 'History',
      ...(earlier.length > 0 &&
        status.writable && {
          aside: h(
            ActionButton,
            { method: 'POST', path: '/config/rollback', onClick: back },
            'Go back to the one before',
          ),
        }),
      flush: earlier.length > 0,
    },
    earlier.length === 0
      ? h(
          Empty,
          { title: 'No configuration before this one' },
          'The last five that this process has applied stand here.',
        )
      : h(Table<ConfigStatus['earlier'][number]>, {
          label: 'Earlier configurations',
          rows: earlier,
          keyOf: ({ generation }) => String(generation),
          columns: [
            { head: 'Number', numeric: true, cell: ({ generation }) => String(generation) },
            { head: 'Revision', cell: ({ revision }) => h('code', { title: revision }, short(revision)) },
            {
              head: 'In force since',
              cell: ({ since }) => h(Time, { at: since }, `${moment(since)}, ${ago(since, now)}`),
            },
          ],
        }),
  )
}
