import { memoize } from '../../core/memoize.ts'

/** A parsed Content-Type header (RFC 9110 section 8.3). */
export interface ContentType {
  /** Type and subtype in lower case. */
  readonly essence: string
  readonly isJson: boolean
  /** No character set other than UTF-8 is specified. */
  readonly isUtf8: boolean
}

const TOKEN = "[!#$%&'*+.^_`|~\\w-]+"
const PARAMETER = `(${TOKEN})=(${TOKEN}|"(?:[^"\\\\]|\\\\.)*")`
const SYNTAX = new RegExp(`^(${TOKEN}/${TOKEN})[ \\t]*((?:;[ \\t]*(?:${PARAMETER}[ \\t]*)?)*)$`)
const EACH = new RegExp(`;[ \\t]*(?:${PARAMETER}[ \\t]*)?`, 'g')

/** The type of content without a Content-Type (RFC 9110 section 8.3). */
export const UNKNOWN: ContentType = { essence: 'application/octet-stream', isJson: false, isUtf8: true }

/** Parses a Content-Type header; null if it is malformed, as others might interpret it differently. */
export const parseContentType = memoize((text: string): ContentType | null => {
  const [, written, parameters = ''] = SYNTAX.exec(text) ?? []
  if (written === undefined) return null
  const essence = written.toLowerCase()
  const isUtf8 = [...parameters.matchAll(EACH)].every(([, name, value]) => !isOtherCharset(name, value))
  return { essence, isJson: isJson(essence), isUtf8 }
})

/** Whether content of that type is JSON: application/json itself, or by the suffix +json (RFC 6839 section 3.1). */
function isJson(essence: string): boolean {
  return essence === 'application/json' || essence.endsWith('+json')
}

function isOtherCharset(name = '', value = ''): boolean {
  return name.toLowerCase() === 'charset' && !/^"?(?:utf-?8|us-ascii)"?$/i.test(value)
}
