const PARAMETERS = [
  // Express, Rails, Go's httprouter, Flask and Django.
  /^:([A-Za-z_]\w*)\??$/,
  /^<(?:\w+:)?([A-Za-z_]\w*)>$/,
  // With a type, a regular expression, or both.
  /^\{([A-Za-z_]\w*)[:=].*\}$/,
  /^:([A-Za-z_]\w*)\(.*\)$/,
  /^\(\?P?<([A-Za-z_]\w*)>.*\)$/,
]
/** Wildcards for the rest of the path. */
const REST =
  /^(?:\*\*|\.\*|\(\.[*+]\)|\*[A-Za-z_]\w*|:[A-Za-z_]\w*[*+]|\{\*\*?[A-Za-z_]*\w*\}|\{\+\w+\}|\{\w+(?:[*+]|\.\.\.|:path|:\.[*+])\}|<path:\w+>)$/
/** A regular expression for one segment. */
const EXPRESSION = /\[[^\]]*[-^][^\]]*\]|\][*+?{]|\\[dDwWsS]|\.[*+]|\([^)]*[|*+\\][^)]*\)/
/** A regular expression for a whole segment that itself contains a slash. */
const NO_SLASH = /\(?\[\^\/\]\s*[*+]\)?/g

/** Only plain segments, and parameters and "/*" in the gateway's own syntax. */
const FAMILIAR = /^(?:\/(?:[\w.-]*|\{[A-Za-z_]\w*\}))*(?:\/\*)?$/

/** What a pattern in another router's syntax, or a regular expression, was probably intended to be; null for any other. */
export function intendedPattern(text: string): string | null {
  if (FAMILIAR.test(text)) return null
  const written = text.replace(/^~\*?\s*/, '').replace(/^\^(?=\/)/, '')
  const segments = written.replaceAll(NO_SLASH, '[^]+').split('/')
  const names = new Set<string>()
  const meant = segments.map((segment, i) => intended(segment, i === segments.length - 1, names))
  const isForeign =
    written !== text ||
    segments.length < written.split('/').length ||
    meant.some((segment, i) => segment !== segments[i])
  return isForeign && written.startsWith('/') ? meant.join('/') : null
}

function intended(written: string, isLast: boolean, names: Set<string>): string {
  const segment = isLast && /.\$$/.test(written) ? written.slice(0, -1) : written
  if (REST.test(segment)) return isLast ? '*' : parameter('rest', names)
  for (const form of PARAMETERS) {
    const name = form.exec(segment)?.[1]
    if (name !== undefined) return parameter(name, names)
  }
  if (EXPRESSION.test(segment)) return parameter('id', names)
  return segment
}

function parameter(name: string, names: Set<string>): string {
  let unique = name
  for (let i = 2; names.has(unique); i++) unique = `${name}${i}`
  names.add(unique)
  return `{${unique}}`
}
