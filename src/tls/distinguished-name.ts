/** Separates the attributes within one relative distinguished name. */
const BETWEEN = / \+ /

/**
 * Formats a distinguished name according to RFC 4514, most specific part first, as `openssl -nameopt RFC2253` does, also within a part. The
 * input is Node's format: one line per part, least specific first, with values already escaped as that RFC requires. Empty for an empty
 * name, which RFC 5280 section 4.1.2.6 allows.
 */
export function distinguishedNameOf(lines: string | undefined): string {
  return partsOf(lines)
    .toReversed()
    .map((part) => part.split(BETWEEN).toReversed().join('+'))
    .join(',')
}

/** The common name; null if there is none or more than one. */
export function commonNameOf(lines: string | undefined): string | null {
  const found = partsOf(lines)
    .flatMap((part) => part.split(BETWEEN))
    .filter((attribute) => attribute.startsWith('CN='))
  const [only] = found
  return only === undefined || found.length > 1 ? null : unescape(only.slice(3))
}

function partsOf(lines = ''): string[] {
  return lines.split('\n').filter((line) => line !== '')
}

/** RFC 4514 section 2.4. */
function unescape(value: string): string {
  return value.replace(/\\(?:([0-9A-Fa-f]{2})|(.))/g, (_, hex: string | undefined, character: string | undefined) =>
    hex === undefined ? (character ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
