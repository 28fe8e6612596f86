/** Media type, or one with asterisks, and a weight (RFC 9110 section 12.5.1); parameters in between are read over. */
const ELEMENT = /^([!#$%&'*+\-.^_`|~0-9a-z]+)\/([!#$%&'*+\-.^_`|~0-9a-z]+)((?:[\t ]*;[^;]*)*)$/
const WEIGHT = /;[\t ]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)[\t ]*(?:;|$)/

/** How much a client likes a media type, from 0 to 1, by its Accept: the most specific element for it counts (RFC 9110 section 12.5.1). */
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
