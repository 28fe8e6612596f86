import { type ComponentChildren, h } from 'preact'
import { useRef, useState } from 'preact/hooks'

/** A column of a table. */
export interface Column<Row> {
  readonly head: string
  /** Numbers are aligned to the right. */
  readonly numeric?: boolean
  /** Hidden if there is little room. */
  readonly wide?: boolean
  readonly cell: (row: Row) => ComponentChildren
  /** The sort key of rows; absent if the column cannot be sorted. */
  readonly sort?: (row: Row) => number | string
}

const collator = new Intl.Collator('en', { numeric: true })

/** A table whose columns can be sorted. */
export function Table<Row>({
  label,
  columns,
  rows,
  keyOf,
  sameAs,
  fixed,
  first,
  descending = false,
}: {
  label: string
  columns: readonly Column<Row>[]
  rows: readonly Row[]
  keyOf: (row: Row) => string
  /** Whether a row looks as it did before, and is not rendered again. */
  sameAs?: (row: Row, before: Row) => boolean
  /** The CSS class with the widths of the columns, for up to a thousand rows: those out of view are not laid out. */
  fixed?: string
  first?: number
  descending?: boolean
}): ComponentChildren {
  const [sorted, setSorted] = useState<{ column: number; down: boolean } | null>(
    first === undefined ? null : { column: first, down: descending },
  )
  const made = useRef<ReadonlyMap<string, Made<Row>>>(new Map())
  const by = sorted === null ? undefined : columns[sorted.column]?.sort
  const inOrder =
    by === undefined
      ? rows
      : rows.toSorted((a, b) => {
          const [one, other] = [by(a), by(b)]
          const order =
            typeof one === 'number' && typeof other === 'number'
              ? one - other
              : collator.compare(String(one), String(other))
          return sorted?.down === true ? -order : order
        })
  // With another display than that of a table, some browsers forget that it is one.
  const role = (name: string): { role?: string } => (fixed === undefined ? {} : { role: name })
  const headOf = ({ head, numeric, wide, sort }: Column<Row>, i: number): ComponentChildren => {
    const here = sorted?.column === i
    const direction = here ? (sorted.down ? 'descending' : 'ascending') : undefined
    const turn = (): void => setSorted({ column: i, down: here ? !sorted.down : numeric === true })
    return h(
      'th',
      {
        key: head,
        scope: 'col',
        ...role('columnheader'),
        class: classesOf(numeric, wide),
        'aria-sort': direction,
      },
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
  const now = new Map<string, Made<Row>>()
  made.current = now
  const shownOf = (row: Row): ComponentChildren => {
    const key = keyOf(row)
    const known = before.get(key)
    const same = known !== undefined && sameAs?.(row, known.row) === true
    const shown = same
      ? known.shown
      : h(
          'tr',
          { key, ...role('row') },
          columns.map(({ head, numeric, wide, cell }) =>
            h('td', { key: head, ...role('cell'), class: classesOf(numeric, wide) }, cell(row)),
          ),
        )
    now.set(key, { row, shown })
    return shown
  }
  return h(
    'div',
    { class: 'table-frame', tabIndex: 0, role: 'region', 'aria-label': label },
    h(
      'table',
      { ...role('table'), ...(fixed !== undefined && { class: `fixed ${fixed}` }) },
      h('thead', role('rowgroup'), h('tr', role('row'), columns.map(headOf))),
      h('tbody', role('rowgroup'), inOrder.map(shownOf)),
    ),
  )
}

/** A row as it was rendered last. */
interface Made<Row> {
  readonly row: Row
  readonly shown: ComponentChildren
}

function classesOf(numeric = false, wide = false): string {
  return `${numeric ? 'numeric' : ''}${wide ? ' wide' : ''}`
}
