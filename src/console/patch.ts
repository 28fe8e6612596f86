/** Changed lines in the format of `patch` and `git apply`. */

/** Maximum number of cells in the table that finds the common lines of two texts: beyond that, everything in between counts as changed. */
const MAX = 4_000_000
/** Number of unchanged lines around changes. */
const CONTEXT = 3

interface Line {
  readonly kind: ' ' | '-' | '+'
  readonly text: string
}

/**
 * A unified diff between two texts of a file, "" if they are equal. `shown` is the displayable form of the first one, line by line: where
 * it differs, the original line appears in the diff only if it was changed.
 */
export function patchOf(file: string, before: string, after: string, shown = before): string {
  if (before === after) return ''
  const [old, may] = [linesOf(before), linesOf(shown)]
  const lines = compare(old, linesOf(after))
  const hunks = hunksOf(lines, (line) => old[line] !== may[line])
  return hunks.length === 0 ? '' : `--- a/${file}\n+++ b/${file}\n${hunks.join('')}`
}

function linesOf(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** The lines that stay, are removed and are added, in order. */
export function compare(before: readonly string[], after: readonly string[]): Line[] {
  let start = 0
  while (start < before.length && start < after.length && before[start] === after[start]) start++
  let end = 0
  while (end < before.length - start && end < after.length - start && before.at(-1 - end) === after.at(-1 - end)) end++
  const [gone, come] = [before.slice(start, before.length - end), after.slice(start, after.length - end)]
  return slid([
    ...marked(' ', before.slice(0, start)),
    ...between(gone, come),
    ...marked(' ', before.slice(before.length - end)),
  ])
}

/**
 * The same lines, where additions or removals without the other are moved up to begin with their least indented line if possible, as in
 * hand-written changes.
 */
function slid(lines: readonly Line[]): Line[] {
  const all = [...lines]
  for (let start = 0; start < all.length;) {
    const kind = all[start]?.kind ?? ' '
    let end = start + 1
    while (end < all.length && all[end]?.kind === kind) end++
    if (kind !== ' ' && (all[start - 1]?.kind ?? ' ') === ' ' && (all[end]?.kind ?? ' ') === ' ') {
      const up = slide(all, start, end)
      all.splice(start - up, end - start + up, ...moved(all.slice(start - up, end), up))
    }
    start = end
  }
  return all
}

/** How many lines further up the change should begin. */
function slide(lines: readonly Line[], start: number, end: number): number {
  const indentAt = (at: number): number => lines[at]?.text.search(/\S/) ?? 0
  let [up, best] = [0, 0]
  while (lines[start - up - 1]?.kind === ' ' && lines[start - up - 1]?.text === lines[end - up - 1]?.text) {
    up++
    if (indentAt(start - up) < indentAt(start - best)) best = up
  }
  return best
}

/** That many unchanged lines followed by changed ones, with the changed ones moved to the front. */
function moved(lines: readonly Line[], up: number): Line[] {
  const kind = lines.at(-1)?.kind ?? ' '
  return lines.map(({ text }, i) => ({ kind: i < lines.length - up ? kind : ' ', text }))
}

function marked(kind: Line['kind'], lines: readonly string[]): Line[] {
  return lines.map((text) => ({ kind, text }))
}

function between(gone: readonly string[], come: readonly string[]): Line[] {
  const width = come.length + 1
  if ((gone.length + 1) * width > MAX) return [...marked('-', gone), ...marked('+', come)]
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

function hunksOf(lines: readonly Line[], isHidden: (line: number) => boolean): string[] {
  const hunks: string[] = []
  /** Number of lines of the first and of the second text before `i`. */
  let [before, after] = [0, 0]
  let i = 0
  const pass = (end: number): void => {
    for (; i < end; i++) {
      const kind = lines[i]?.kind
      if (kind !== '+') before++
      if (kind !== '-') after++
    }
  }
  /** The number of lines that may surround a change, starting at `at` in that direction. */
  const contextAt = (at: number, line: number, step: 1 | -1): number => {
    let length = 0
    while (length < CONTEXT && lines[at + length * step]?.kind === ' ' && !isHidden(line + length * step)) length++
    return length
  }
  while (i < lines.length) {
    if (lines[i]?.kind === ' ') {
      pass(i + 1)
      continue
    }
    const [start, line, other] = [i, before, after]
    let leading = contextAt(i - 1, before - 1, -1)
    let end = i
    let trailing = 0
    for (;;) {
      while (end < lines.length && lines[end]?.kind !== ' ') end++
      pass(end)
      trailing = contextAt(end, before, 1)
      // Changes that are close together are in one hunk.
      const next = lines.findIndex(({ kind }, at) => at >= end && kind !== ' ')
      const gap = next === -1 ? Infinity : next - end
      if (gap > 2 * CONTEXT || !clear(before, gap, isHidden)) break
      end = next
      pass(end)
    }
    // With less context after a change than before it, patch tools assume the end of the file.
    if (end + trailing < lines.length) leading = Math.min(leading, trailing)
    const hunk = lines.slice(start - leading, end + trailing)
    const [removed, added] = [count(hunk, '+'), count(hunk, '-')]
    const head = `@@ -${rangeOf(line - leading + 1, removed)} +${rangeOf(other - leading + 1, added)} @@\n`
    hunks.push(head + hunk.map(({ kind, text }) => `${kind}${text}\n`).join(''))
  }
  return hunks
}

function clear(from: number, length: number, isHidden: (line: number) => boolean): boolean {
  return Array.from({ length }, (_, i) => from + i).every((line) => !isHidden(line))
}

/** The number of lines of all kinds except one. */
function count(hunk: readonly Line[], without: Line['kind']): number {
  return hunk.filter(({ kind }) => kind !== without).length
}

/** The range of a hunk in the format of its header. */
function rangeOf(start: number, length: number): string {
  return `${length === 0 ? start - 1 : start},${length}`
}
