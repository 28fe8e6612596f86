const UNRESERVED = /[A-Za-z0-9\-._~]/

/** False only if every character is valid in a path as is, and no segment is empty or starts with a dot. */
const NEEDS_WORK = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]|\/[/.]/

/** Characters that are invalid in a path: anything but visible ASCII, "#", "?", backslash, malformed escapes. */
const REFUSED = /[^\x21-\x7e]|[#?\\]|%(?![0-9A-Fa-f]{2})/

/** Escapes, and characters that must be escaped (RFC 3986 section 3.3). */
const RESPELLED = /%..|["<>[\]^`{|}]/g

/** Escaped control characters, and the same with the backslash. */
const REFUSED_ESCAPE = /%(?:[01].|7F)/
const REFUSED_OR_BACKSLASH = /%(?:[01].|7F|5C)/

/** A "." or ".." visible only to services that decode "%2F" or "%5C", or that strip path parameters. */
const HIDDEN_DOTS = /(?:^|%2F|%5C)\.{1,2}(?:$|;|%2F|%3B|%5C)/

/**
 * The normal form of a path, which is used for matching and logging (RFC 3986 section 6.2.2), or null if the path is rejected.
 *
 * Takes the path of an origin-form target, without its query. A path already in normal form is returned as the same string after one scan.
 * The normal form removes anything that a service might interpret differently from the gateway:
 * - Escapes of unreserved characters are decoded and hex digits upper-cased, so that a path has only one spelling.
 * - Dot segments are removed. Paths that climb above the root are rejected: RFC 3986 section 5.2.4 would ignore the excess, but only
 *   attackers send them. Dot segments hidden behind "%2F" or ";" are rejected too: Tomcat takes "..;" for "..".
 * - Repeated slashes are merged, as many services do so: otherwise a literally matched path could reach what another route protects.
 * - "%2F" is kept and matches no pattern literal; the route decides whether a request may contain it.
 * - A backslash, raw or escaped, is rejected: WHATWG URL parsers and Windows services take it for a slash.
 * - Control characters, "#", "?", malformed escapes and escapes that are not valid UTF-8 (including overlong forms) are rejected, so that a
 *   normalized path can always be decoded.
 * - Other characters that are invalid in a path are percent-encoded. Path parameters (";v=1") are kept.
 */
export function normalizePath(path: string): string | null {
  return normalize(path, REFUSED_OR_BACKSLASH)
}

/** The same for the path of a request, where the route decides about escaped backslashes. */
export function normalizeRequestPath(path: string): string | null {
  return normalize(path, REFUSED_ESCAPE)
}

function normalize(path: string, refusedEscape: RegExp): string | null {
  if (!path.startsWith('/')) return null
  if (!NEEDS_WORK.test(path)) return path
  if (REFUSED.test(path)) return null
  const spelled = path.replace(RESPELLED, respell)
  if (refusedEscape.test(spelled) || !isUtf8(spelled)) return null
  return resolveSegments(spelled.split('/'))
}

function respell(written: string): string {
  const byte = written.length === 1 ? written.charCodeAt(0) : Number.parseInt(written.slice(1), 16)
  const char = String.fromCharCode(byte)
  return UNRESERVED.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
}

function resolveSegments(segments: readonly string[]): string | null {
  const resolved: string[] = []
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') {
      if (resolved.pop() === undefined) return null
      continue
    }
    if (HIDDEN_DOTS.test(segment)) return null
    resolved.push(segment)
  }
  const last = segments.at(-1)
  if (last === '' || last === '.' || last === '..') resolved.push('')
  return `/${resolved.join('/')}`
}

function isUtf8(escaped: string): boolean {
  try {
    decodeURIComponent(escaped)
    return true
  } catch {
    return false
  }
}
