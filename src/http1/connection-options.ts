import { HTAB, SP } from '../http/characters.ts'

/** The contents of a Connection field (RFC 9110 section 7.6.1). */
export interface ConnectionOptions {
  readonly close: boolean
  readonly keepAlive: boolean
  readonly upgrade: boolean
  /** Further names: fields that must not be passed on; null if there are none. */
  readonly nominated: string[] | null
}

/** Options whose fields the readers remove in any case. */
const WIRE_OPTIONS = new Set(['te', 'trailer', 'transfer-encoding', 'http2-settings', 'proxy-connection'])

const KEEP_ALIVE: ConnectionOptions = { close: false, keepAlive: true, upgrade: false, nominated: null }
const CLOSE: ConnectionOptions = { close: true, keepAlive: false, upgrade: false, nominated: null }

/** Parses the value of a Connection field, all its lines joined by commas. */
export function readOptions(connection: string): ConnectionOptions {
  if (connection === 'keep-alive') return KEEP_ALIVE
  if (connection === 'close') return CLOSE
  let close = false
  let keepAlive = false
  let upgrade = false
  const nominated: string[] = []
  for (const entry of connection.toLowerCase().split(',')) {
    const option = withoutSpace(entry)
    if (option === 'close') close = true
    else if (option === 'keep-alive') keepAlive = true
    else if (option === 'upgrade') upgrade = true
    else if (option !== '' && !WIRE_OPTIONS.has(option)) nominated.push(option)
  }
  return { close, keepAlive, upgrade, nominated: nominated.length === 0 ? null : nominated }
}

/** Optional whitespace is spaces and tabs (RFC 9110 section 5.6.3); `trim` would also remove some obs-text. */
function withoutSpace(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start++
  while (start < end && isSpace(text.charCodeAt(end - 1))) end--
  return text.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === SP || code === HTAB
}
