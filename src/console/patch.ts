/** Lines that an edit has changed, for `patch` and `git apply`. */

/** Cells of the table that finds what two texts have in common: where it would be larger, all in between counts as changed. */
const MOST = 4_000_000
/** Unchanged lines around changes. */
const CONTEXT = 3

interface Line {
  readonly kind: ' ' | '-' | '+'
  readonly text: string
}

/** A unified difference between two texts of a file, "" where they are the same. */
export function patchOf(file: string, before: string, after: string): string {
  if (before === after) return ''
  const lines = compare(linesOf(before), linesOf(after))
  const hunks = hunksOf(lines)
  return hunks.length === 0 ? '' : `--- a/${file}\n+++ b/${file}\n${hunks.join('')}`
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** What stays, goes and comes, in order. */
export function compare(before: readonly string[], after: readonly string[]): Line[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const [gone, come] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  return [
    ...marked(' ', before.slice(0, start)),
    ...between(gone, come),
    ...marked(' ', before.slice(before.length - end)),
  ]
}

function marked(kind: Line['kind'], lines: readonly string[]): Line[] {
  return lines.map((text) => ({ kind, text }))
}

function between(gone: readonly string[], come: readonly string[]): Line[] {
  const width = come.length + 1
  if ((gone.length + 1) * width > MOST) return [...marked('-', gone), ...marked('+', come)]
  const common = new Uint32Array((gone.length + 1) * width)
  for (let i = gone.length - 1; i >= 0; i--)
    for (let j = come.length - 1; j >= 0; j--)
      common[i * width + j] =
        gone[i] === come[j]
          ? 1 + (common[(i + 1) * width + j + 1] ?? 0)
          : Math.max(common[(i + 1) * width + j] ?? 0, common[i * width + j + 1] ?? 0)
  const lines: Line[] = []
  let [i, j] = [0, 0]
  while (i < gone.length && j < come.length) {
    const [one = '', other = ''] = [gone[i], come[j]]
    if (one === other) {
      lines.push({ kind: ' ', text: one })
      i++
      j++
    } else if ((common[(i + 1) * width + j] ?? 0) >= (common[i * width + j + 1] ?? 0)) {
      lines.push({ kind: '-', text: one })
      i++
    } else {
      lines.push({ kind: '+', text: other })
      j++
    }
  }
  return [...lines, ...marked('-', gone.slice(i)), ...marked('+', come.slice(j))]
}

function hunksOf(lines: readonly Line[]): string[] {
  const near = lines.map((_, i) =>
    lines.slice(Math.max(0, i - CONTEXT), i + CONTEXT + 1).some(({ kind }) => kind !== ' '),
  )
  const hunks: string[] = []
  let [before, after] = [1, 1]
  for (let i = 0; i < lines.length;) {
    const hunk: Line[] = []
    while (near[i] === true) hunk.push(...lines.slice(i, ++i))
    if (hunk.length > 0) {
      const [removed, added] = [
        hunk.filter(({ kind }) => kind !== '+').length,
        hunk.filter(({ kind }) => kind !== '-').length,
      ]
      hunks.push(
        `@@ -${rangeOf(before, removed)} +${rangeOf(after, added)} @@\n${hunk.map(({ kind, text }) => `${kind}${text}\n`).join('')}`,
      )
      before += removed
      after += added
      continue
    }
    before++
    after++
    i++
  }
  return hunks
}

/** Where a hunk is, as headers of hunks say it. */
function rangeOf(start: number, length: number): string {
  return `${length === 0 ? start - 1 : start},${length}`
}
