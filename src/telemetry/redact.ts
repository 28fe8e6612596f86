/** Words that mark a name as secret wherever they occur in it, and short words that only do so if they stand alone. */
const SECRET =
  /token|passw|secret|signature|authorization|credential|api-?key|(?:^|[^a-z])(?:key|code|sig|auth|jwt|pwd|pass|otp|session)(?![a-z])/i

/** Whether the query may contain a secret at all: most do not and need not be parsed. */
const SUSPECT = /%|token|pass|secret|sig|auth|credential|key|code|jwt|pwd|otp|session|=eyJ/i

/** The start of a signed token, whatever its name: the header of a JWT, which is an encoded JSON object, and a dot. */
const TOKEN = /^eyJ[\w-]*\./

/**
 * The query, "" or "?…", for logs and traces: the values of parameters whose name suggests a secret, such as token, api_key, accessToken,
 * password, client_secret, code, signature, and values that are a JSON Web Token are replaced by "[redacted]".
 */
export function redactQuery(query: string): string {
  if (query === '' || !SUSPECT.test(query)) return query
  // Some services treat ";" like "&".
  return query.replace(/([?&;])([^=&;]*)=([^&;]+)/g, (pair, separator: string, name: string, value: string) =>
    isSecret(name) || TOKEN.test(value) ? `${separator}${name}=[redacted]` : pair,
  )
}

/** The query, "" or "?…", in which the values of the parameters with these names, however they are written, are replaced as well. */
export function hideParameters(query: string, names: ReadonlySet<string>): string {
  return query.replace(/([?&;])([^=&;]*)=([^&;]+)/g, (pair, separator: string, name: string) =>
    names.has(decode(name.replaceAll('+', ' '))) ? `${separator}${name}=[redacted]` : pair,
  )
}

/** The path of a request with its query, if it has one, in which that is redacted. */
export function redactTarget(target: string): string {
  const mark = target.indexOf('?')
  return mark === -1 ? target : target.slice(0, mark) + redactQuery(target.slice(mark))
}

/** Whether a name speaks of a secret, such as that of a query parameter, a header field or an option. */
export function isSecret(name: string): boolean {
  return SECRET.test(decode(name).replace(/([a-z0-9])([A-Z])/g, '$1_$2'))
}

/** Decoded if possible, because the service sees an encoded name in its decoded form. */
function decode(name: string): string {
  if (!name.includes('%')) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
