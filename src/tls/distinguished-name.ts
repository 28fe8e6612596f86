/** Between the attributes of one relative name. */
const BETWEEN = / \+ /

/**
 * A distinguished name as RFC 4514 writes it, the most specific part first, of what Node says: a line for each part, the least
 * specific first, with the values escaped as that RFC asks; in the order of `openssl -nameopt RFC2253`, also within a part; nothing for an empty one, as RFC 5280 section 4.1.2.6 allows it.
 */
export function distinguishedNameOf(lines: string | undefined): string {
  return partsOf(lines)
    .toReversed()
    .map((part) => part.split(BETWEEN).toReversed().join('+'))
    .join(',')
}

/** Its common name; null where it has none, or several. */
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
