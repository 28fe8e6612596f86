import { linesOf } from '../../http/field-lines.ts'
import { appendLines, type Headers } from '../../http/headers.ts'
import { NameSet } from '../../http/name-set.ts'

/** The header by which a CDN recognizes a request that it has already handled (RFC 8586). */
export const CDN_LOOP = 'CDN-Loop'

const NAMES = new NameSet([CDN_LOOP])
/** Members of the list, whose parameters may be quoted. */
const MEMBER = /(?:[^",]|"(?:[^"\\]|\\.)*"?)+/g

/** Adds the identifier of this gateway to the list; false if it is already in it. */
export function compileLoop(id: string): (headers: Headers) => boolean {
  const own = id.toLowerCase()
  const line = linesOf(CDN_LOOP)(id)
  return (headers) => {
    const past = headers.combined(CDN_LOOP)
    if (past !== undefined && identifiersOf(past).includes(own)) return false
    appendLines(headers, NAMES, line)
    return true
  }
}

function identifiersOf(list: string): string[] {
  return (list.match(MEMBER) ?? []).map((member) => {
    const [id = ''] = member.split(';', 1)
    return id.trim().toLowerCase()
  })
}
