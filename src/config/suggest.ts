/** The known name that was probably meant, or undefined if none is close enough. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1
  for (const candidate of known) {
    const distance = editDistance(simplify(name), simplify(candidate))
    if (distance >= bestDistance) continue
    best = candidate
    bestDistance = distance
  }
  return best
}

/** `; did you mean "x"?` for a name that is close to a known one, otherwise `; expected one of …`. */
export function hint(name: string, known: Iterable<string>): string {
  const names = [...known]
  const meant = nearest(name, names)
  if (meant !== undefined) return `; did you mean ${JSON.stringify(meant)}?`
  return names.length === 0 ? '; there are none' : `; expected ${oneOf(names)}`
}

/** `"a"`, `"a" or "b"`, `"a", "b" or "c"`. */
export function oneOf(names: readonly unknown[]): string {
  const quoted = names.map((name) => JSON.stringify(name))
  const last = quoted.pop() ?? ''
  return quoted.length === 0 ? last : `${quoted.join(', ')} or ${last}`
}

/** Ignores case and separators: rate_limit and rate-limit are equal. */
function simplify(name: string): string {
  return name.toLowerCase().replaceAll(/[-_.\s]/g, '')
}

/** The number of letters to insert, delete, change or swap with their neighbor (optimal string alignment distance). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const [corner = 0, above = 0, before = 0] = [last[j - 1], last[j], row[j - 1]]
      const swapped = isSwap ? (beforeLast[j - 2] ?? 0) + 1 : Infinity
      const changed = corner + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(swapped, changed, above + 1, before + 1))
    }
    beforeLast = last
    last = row
  }
  return last.at(-1) ?? 0
}
