/** The only name that may begin with a dot (RFC 8615). */
const WELL_KNOWN = '.well-known'

/**
 * The names in a normalized path, in order, with "" at the end if it ends in a slash. Null if clients may not see such a file: a name that
 * begins with a dot, is empty, or contains a character that is not safe in a file name.
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
  // A slash in a name would lead to another path; a NUL ends names for the system.
  return !/[/\\\0]/.test(name)
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
