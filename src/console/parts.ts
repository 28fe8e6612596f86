import { type ComponentChildren, Fragment, h, type VNode } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { wordsOf } from './client.ts'
import { type Polled, useBarred } from './hooks.ts'
import { moment, zone } from './format.ts'

/** What a badge says by its colour. */
export type Tone = 'good' | 'warning' | 'critical' | 'notice' | 'plain'

/** A short word about a state. */
export function Badge({ tone, children }: { tone: Tone; children?: ComponentChildren }): ComponentChildren {
  return h('span', { class: `badge ${tone}` }, h('span', { class: 'dot', 'aria-hidden': true }), children)
}

/** A word without a state, such as a method or the name of a policy. */
export function Tag({ children }: { children?: ComponentChildren }): ComponentChildren {
  return h('span', { class: 'tag' }, children)
}

/** The heading of a page, with what can be done there. */
export function Head({
  title,
  about,
  children,
}: {
  title: string
  about?: ComponentChildren
  children?: ComponentChildren
}): ComponentChildren {
  useEffect(() => {
    document.title = `${title} · Sallyport`
  }, [title])
  return h(
    'header',
    { class: 'page-head' },
    h('div', null, h('h1', null, title), about !== undefined && h('p', { class: 'about' }, about)),
    children !== undefined && h('div', { class: 'actions' }, children),
  )
}

/** A part of a page with a heading of its own. */
export function Panel({
  title,
  aside,
  children,
  flush,
}: {
  title?: string
  aside?: ComponentChildren
  children?: ComponentChildren
  flush?: boolean
}): ComponentChildren {
  return h(
    'section',
    { class: `panel${flush === true ? ' flush' : ''}` },
    title !== undefined &&
      h(
        'div',
        { class: 'panel-head' },
        h('h2', null, title),
        aside !== undefined && h('div', { class: 'aside' }, aside),
      ),
    children,
  )
}

/** What is shown where there is nothing to show, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }): ComponentChildren {
  return h(
    'div',
    { class: 'empty' },
    h('p', { class: 'empty-title' }, title),
    children !== undefined && h('div', { class: 'empty-text' }, children),
  )
}

/** What went wrong. */
export function Failure({ title, error }: { title: string; error: unknown }): ComponentChildren {
  return h('div', { class: 'note critical', role: 'alert' }, h('strong', null, title), ' ', wordsOf(error))
}

/** A word that is no error. */
export function Note({ tone, children }: { tone: Tone; children?: ComponentChildren }): ComponentChildren {
  return h('div', { class: `note ${tone}`, role: 'status' }, children)
}

/** Grey lines in place of what is still to come. */
export function Waiting({ lines = 4 }: { lines?: number }): ComponentChildren {
  return h(
    'div',
    { class: 'waiting', role: 'status', 'aria-label': 'Loading' },
    Array.from({ length: lines }, (_, i) => h('span', { key: i })),
  )
}

/** What was asked for, once it is there; until then that it is awaited, or why it does not come. */
export function Asked<Answer>({
  polled,
  what,
  lines,
  children,
}: {
  polled: Polled<Answer>
  what: string
  lines?: number
  children: (data: Answer) => ComponentChildren
}): ComponentChildren {
  const { data, error } = polled
  return h(
    Fragment,
    null,
    error !== null && error.status !== 401 && h(Failure, { title: `${what} cannot be shown as they are now.`, error }),
    data === null ? error === null && h(Waiting, lines === undefined ? {} : { lines }) : children(data),
  )
}

/** A column of a table. */
export interface Column<Row> {
  readonly head: string
  /** Numbers stand to the right. */
  readonly numeric?: boolean
  /** Left out where there is little room. */
  readonly wide?: boolean
  readonly cell: (row: Row) => ComponentChildren
  /** What rows are sorted by; none where they are not. */
  readonly sort?: (row: Row) => number | string
}

/** A table whose columns can be sorted. */
export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
  sameAs,
  first,
  descending = false,
}: {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  /** Text of all that is shown of a row: rows for which it stays are not made anew. Where there may be a thousand. */
  sameAs?: (row: Row) => string
  first?: number
  descending?: boolean
}): ComponentChildren {
  const [sorted, setSorted] = useState<{ column: number; down: boolean } | null>(
    first === undefined ? null : { column: first, down: descending },
  )
  const made = useRef<ReadonlyMap<string, { readonly text: string; readonly row: VNode<{ key: string }> }>>(new Map())
  const by = sorted === null ? undefined : columns[sorted.column]?.sort
  const shown =
    by === undefined
      ? rows
      : rows.toSorted((a, b) => {
          const [one, other] = [by(a), by(b)]
          const order =
            typeof one === 'number' && typeof other === 'number'
              ? one - other
              : String(one).localeCompare(String(other), 'en', { numeric: true })
          return sorted?.down === true ? -order : order
        })
  const headOf = ({ head, numeric, wide, sort }: Column<Row>, i: number): ComponentChildren => {
    const here = sorted?.column === i
    const direction = here ? (sorted.down ? 'descending' : 'ascending') : undefined
    const turn = (): void => setSorted({ column: i, down: here ? !sorted.down : numeric === true })
    return h(
      'th',
      { key: head, scope: 'col', class: classesOf(numeric, wide), 'aria-sort': direction },
      sort === undefined
        ? head
        : h(
            'button',
            { type: 'button', class: 'sort', onClick: turn },
            head,
            h('span', { class: 'arrow', 'aria-hidden': true }, here ? (sorted.down ? '↓' : '↑') : ''),
          ),
    )
  }
  const before = made.current
  const now = new Map<string, { readonly text: string; readonly row: VNode<{ key: string }> }>()
  made.current = now
  const rowOf = (row: Row): VNode<{ key: string }> => {
    const key = keyOf(row)
    const text = sameAs?.(row) ?? null
    const known = before.get(key)
    const cells = (): VNode<{ key: string }> =>
      h(
        'tr',
        { key },
        columns.map(({ head, numeric, wide, cell }) =>
          h('td', { key: head, class: classesOf(numeric, wide) }, cell(row)),
        ),
      )
    const shownRow = known !== undefined && known.text === text ? known.row : cells()
    if (text !== null) now.set(key, { text, row: shownRow })
    return shownRow
  }
  return h(
    'div',
    { class: 'table-frame', tabIndex: 0, role: 'region', 'aria-label': label },
    h('table', null, h('thead', null, h('tr', null, columns.map(headOf))), h('tbody', null, shown.map(rowOf))),
  )
}

function classesOf(numeric = false, wide = false): string {
  return `${numeric ? 'numeric' : ''}${wide ? ' wide' : ''}`
}

/** Names with their values. */
export function Facts({
  facts,
}: {
  facts: readonly (readonly [name: string, value: ComponentChildren])[]
}): ComponentChildren {
  return h(
    'dl',
    { class: 'facts' },
    facts.map(([name, value]) => h('div', { key: name }, h('dt', null, name), h('dd', null, value))),
  )
}

/** One number that matters, with a line of how it was. */
export function Figure({
  name,
  value,
  tone,
  points,
  about,
}: {
  name: string
  value: string
  tone?: Tone
  points?: readonly number[]
  about?: string
}): ComponentChildren {
  return h(
    'div',
    { class: `figure ${tone ?? ''}` },
    h('div', { class: 'figure-name' }, name),
    h('div', { class: 'figure-value' }, value),
    points === undefined
      ? h('div', { class: 'figure-about' }, about ?? '')
      : h(Spark, { points, label: `${name} in the last minute` }),
  )
}

const WIDTH = 120
const HEIGHT = 28
/** Seconds that a line is about. */
const POINTS = 60

/** A line of the last minute, a point for each second. */
export function Spark({
  points,
  label,
  tone,
}: {
  points: readonly number[]
  label: string
  tone?: Tone
}): ComponentChildren {
  const most = Math.max(...points, 0)
  if (most === 0)
    return h(
      'svg',
      {
        class: 'spark idle',
        viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
        preserveAspectRatio: 'none',
        role: 'img',
        'aria-label': `${label}: none`,
      },
      h('polyline', { class: 'spark-line', points: `0,${HEIGHT - 1} ${WIDTH},${HEIGHT - 1}` }),
    )
  const first = POINTS - points.length
  const at = points.map((value, i) => {
    const x = ((first + i) / (POINTS - 1)) * WIDTH
    const y = HEIGHT - 1 - (most === 0 ? 0 : value / most) * (HEIGHT - 3)
    return `${x.toFixed(1)},${y.toFixed(1)}`
  })
  const start = ((first / (POINTS - 1)) * WIDTH).toFixed(1)
  return h(
    'svg',
    {
      class: `spark ${tone ?? ''}`,
      viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': label,
    },
    at.length > 1 &&
      h('polygon', { class: 'spark-area', points: `${start},${HEIGHT} ${at.join(' ')} ${WIDTH},${HEIGHT}` }),
    at.length > 1 && h('polyline', { class: 'spark-line', points: at.join(' ') }),
  )
}

/** A point in time, with its date and zone where the pointer rests. */
export function Time({ at, children }: { at: string | number; children?: ComponentChildren }): ComponentChildren {
  return h('time', { dateTime: new Date(at).toISOString(), title: moment(at) }, children)
}

/** Says of which zone the times of a page are. */
export function Zone(): ComponentChildren {
  return h('span', { class: 'quiet' }, `Times in ${zone()}`)
}

/** Text that may be copied at once. */
export function Copy({ text, label = 'Copy' }: { text: string; label?: string }): ComponentChildren {
  const [said, setSaid] = useState('')
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text)
      setSaid('Copied')
    } catch {
      setSaid('Select it and copy')
    }
    setTimeout(() => setSaid(''), 2000)
  }
  return h('button', { type: 'button', class: 'button quiet', onClick: () => void copy() }, said === '' ? label : said)
}

/** A button for what the admin API does; whoever may not have that done cannot press it, and reads why. */
export function ActionButton({
  method,
  path,
  class: name = 'button',
  type = 'button',
  label,
  disabled = false,
  onClick,
  children,
}: {
  method: 'POST' | 'PUT' | 'DELETE'
  /** As the admin API lists it, such as "/services/{name}". */
  path: string
  class?: string
  type?: 'button' | 'submit'
  /** Where what it says is not enough to know it by. */
  label?: string
  disabled?: boolean
  onClick?: () => void
  children?: ComponentChildren
}): ComponentChildren {
  const barred = useBarred(method, path)
  const button = h(
    'button',
    {
      type,
      class: name,
      disabled: disabled || barred !== null,
      ...(label !== undefined && { 'aria-label': label }),
      ...(barred !== null && { 'aria-description': barred }),
      ...(onClick !== undefined && { onClick }),
    },
    children,
  )
  return barred === null ? button : h('span', { class: 'barred', title: barred }, button)
}

/** What is to be confirmed before it is done. */
export interface Question {
  readonly title: string
  readonly text: ComponentChildren
  /** What the button says that does it. */
  readonly action: string
  readonly danger?: boolean
  readonly run: () => Promise<unknown>
}

/** Asks before something is done; shows why it could not be. */
export function Confirm({ question, close }: { question: Question; close: () => void }): ComponentChildren {
  const dialog = useRef<HTMLDialogElement>(null)
  const [running, setRunning] = useState(false)
  const [error, setError] = useState<unknown>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const run = async (): Promise<void> => {
    setRunning(true)
    setError(null)
    try {
      await question.run()
      close()
    } catch (thrown) {
      setError(thrown)
      setRunning(false)
    }
  }
  return h(
    'dialog',
    { ref: dialog, class: 'dialog', 'aria-labelledby': 'question', onClose: close },
    h('h2', { id: 'question' }, question.title),
    h('div', { class: 'dialog-text' }, question.text),
    error !== null && h(Failure, { title: 'That was not done.', error }),
    h(
      'div',
      { class: 'dialog-actions' },
      h('button', { type: 'button', class: 'button', onClick: close }, 'Cancel'),
      h(
        'button',
        {
          type: 'button',
          class: `button primary${question.danger === true ? ' danger' : ''}`,
          disabled: running,
          onClick: () => void run(),
        },
        running ? 'One moment …' : question.action,
      ),
    ),
  )
}

/** A link inside the console, or to what it names. */
export function Link({
  href,
  children,
  class: name,
}: {
  href: string
  children?: ComponentChildren
  class?: string
}): ComponentChildren {
  return h('a', { href, ...(name !== undefined && { class: name }) }, children)
}
