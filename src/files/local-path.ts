/** The one name that may begin with a dot (RFC 8615). */
const WELL_KNOWN = '.well-known'

/**
 * The names that a path in its normal form has, in order, "" at the end for one that ends in a slash. Null where there is no such file for
 * clients: a name that begins with a dot, is empty, or holds what no name of a file may be trusted with.
 */
export function namesIn(path: string): string[] | null {
  const names = path.slice(1).split('/')
  for (const [i, written] of names.entries()) {
    if (written === '') {
      if (i < names.length - 1) return null
      continue
    }
    const name = written.includes('%') ? decoded(written) : written
    if (name === null || !mayBeShown(name)) return null
    names[i] = name
  }
  return names
}

/** Whether clients may see a file or folder of that name. */
export function mayBeShown(name: string): boolean {
  if (name.startsWith('.') && name !== WELL_KNOWN) return false
  // A slash in a name would be another path; a NUL ends names for the system.
  return !/[/\\\0]/.test(name)
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
