/** Names in which any of these words means a secret, whatever stands around it, and short words that must stand alone. */
const SECRET =
  /token|passw|secret|signature|authorization|credential|api-?key|(?:^|[^a-z])(?:key|code|sig|auth|jwt|pwd|pass|otp|session)(?![a-z])/i

/** Whether the query may hold a secret at all: most hold none, and are not taken apart. */
const SUSPECT = /%|token|pass|secret|sig|auth|credential|key|code|jwt|pwd|otp|session|=eyJ/i

/** How a signed token begins, whatever it is called: the header of a JWT, an encoded JSON object, and a dot. */
const TOKEN = /^eyJ[\w-]*\./

/**
 * The query, "" or "?…", with the values of parameters whose name speaks of a secret replaced by "[redacted]", such as
 * token, api_key, accessToken, password, client_secret, code, signature, and of those that are a JSON Web Token; for logs
 * and traces.
 */
export function redactQuery(query: string): string {
  if (query === '' || !SUSPECT.test(query)) return query
  // Some services read ";" as "&".
  return query.replace(/([?&;])([^=&;]*)=([^&;]+)/g, (pair, separator: string, name: string, value: string) =>
    isSecret(name) || TOKEN.test(value) ? `${separator}${name}=[redacted]` : pair,
  )
}

/** Whether a name speaks of a secret, such as that of a query parameter, a header field or an option. */
export function isSecret(name: string): boolean {
  return SECRET.test(decode(name).replace(/([a-z0-9])([A-Z])/g, '$1_$2'))
}

/** Decoded where it can be: a name in disguise reaches the service under its own. */
function decode(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
