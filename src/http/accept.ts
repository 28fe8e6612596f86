/**
 * A media type or range and its parameters, among them a weight (RFC 9110 section 12.5.1); other parameters are
 * ignored.
 */
const ELEMENT = /^([!#$%&'*+\-.^_`|~0-9a-z]+)\/([!#$%&'*+\-.^_`|~0-9a-z]+)((?:[\t ]*;[^;]*)*)$/
const WEIGHT = /;[\t ]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[\t ]*(?:;|$)/

/**
 * The client's weight for a media type, from 0 to 1, according to its Accept field: the most specific matching element
 * counts (RFC 9110 section 12.5.1).
 */
export function weightOf(accept: string, mediaType: string): number {
  const wanted = mediaType.toLowerCase()
  const family = wanted.slice(0, wanted.indexOf('/'))
  let weight = 0
  let closest = 0
  for (const element of accept.toLowerCase().split(',')) {
    const [, type, subtype, parameters = ''] = ELEMENT.exec(element.trim()) ?? []
    if (type === undefined || subtype === undefined) continue
    const closeness =
      `${type}/${subtype}` === wanted ? 3 : type === family && subtype === '*' ? 2 : type === '*' ? 1 : 0
    if (closeness <= closest) continue
    closest = closeness
    weight = Number(WEIGHT.exec(parameters)?.[1] ?? '1')
  }
  return weight
}
