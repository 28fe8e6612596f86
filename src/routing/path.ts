const UNRESERVED = /[A-Za-z0-9\-._~]/

/** True unless every character may stand in a path as it is and no segment is empty or starts with a dot. */
const NEEDS_WORK = /[^A-Za-z0-9\-._~!$&'()*+,;=:@/]|\/[/.]/

/** What has no place in a path: characters that are not visible ASCII, "#", "?", backslash, malformed escapes. */
const REFUSED = /[^\x21-\x7e]|[#?\\]|%(?![0-9A-Fa-f]{2})/

/** Escapes, and characters that must be escaped (RFC 3986 section 3.3). */
const RESPELLED = /%..|["<>[\]^`{|}]/g

/** Escaped control characters, and the same with the backslash. */
const REFUSED_ESCAPE = /%(?:[01].|7F)/
const REFUSED_OR_BACKSLASH = /%(?:[01].|7F|5C)/

/** A "." or ".." that only a service which decodes "%2F" or "%5C", or cuts path parameters off, would see. */
const HIDDEN_DOTS = /(?:^|%2F|%5C)\.{1,2}(?:$|;|%2F|%3B|%5C)/

/**
 * The normal form of a path, by which it is matched and logged (RFC 3986 section 6.2.2), or null for what has none.
 *
 * Takes the path of an origin-form target, without its query. A path in normal form comes back as the same string
 * after one scan. What a service might read otherwise than the gateway is in it no more:
 * - Escapes of unreserved characters are decoded and hex digits upper-cased, so one path has one spelling.
 * - Dot segments are removed. One that climbs above the root is refused: RFC 3986 section 5.2.4 would ignore it, but
 *   only an attack sends it. Those hidden behind "%2F" or ";" are refused too: Tomcat takes "..;" for "..".
 * - Repeated slashes become one, as many services merge them: a path matched literally could reach what another route
 *   protects.
 * - "%2F" stays as it is, and no route is matched by it: whether a request may have it is for the route to say.
 * - A backslash, raw or escaped, is refused: WHATWG URL parsers and Windows services take it for a slash.
 * - Control characters, "#", "?", malformed escapes and escapes that are not UTF-8 (overlong forms among them) are
 *   refused, so a normal path can always be decoded.
 * - Other characters that a path may not hold are percent-encoded. Path parameters (";v=1") are left alone.
 */
export function normalizePath(path: string): string | null {
  return normalize(path, REFUSED_OR_BACKSLASH)
}

/** The same for the path of a request, where it is the route that says what becomes of an escaped backslash. */
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
  const octet = written.length === 1 ? written.charCodeAt(0) : Number.parseInt(written.slice(1), 16)
  const char = String.fromCharCode(octet)
  return UNRESERVED.test(char) ? char : `%${octet.toString(16).toUpperCase().padStart(2, '0')}`
}

function resolveSegments(segments: readonly string[]): string | null {
  const kept: string[] = []
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue
    if (segment === '..') {
      if (kept.pop() === undefined) return null
      continue
    }
    if (HIDDEN_DOTS.test(segment)) return null
    kept.push(segment)
  }
  const last = segments.at(-1)
  if (last === '' || last === '.' || last === '..') kept.push('')
  return `/${kept.join('/')}`
}

function isUtf8(escaped: string): boolean {
  try {
    decodeURIComponent(escaped)
    return true
  } catch {
    return false
  }
}
