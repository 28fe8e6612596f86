import { type ComponentChildren, h, type VNode } from 'preact'
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
  /**
   * A text of everything that is shown of a row: if it is unchanged, the row is not rendered again. For tables with up to a thousand rows.
   */
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
