import { type Headers, mayHold } from '../../http/headers.ts'

/** Ends the tags of compressed replies: no service makes such ones, so that they can be told from its own. */
const MARK = '~compressed"'
const MARKED = /W\/"([\x21\x23-\x7e\x80-\xff]*)~compressed"/g

/**
 * The entity tag of the compressed content: other octets than those that the service gave a strong one for, but worth the
 * same, so a weak one (RFC 9110 section 8.8.1). Weak ones stay as they are.
 */
export function compressedTag(etag: string): string {
  return etag.startsWith('"') && etag.endsWith('"') && etag.length > 1 ? `W/${etag.slice(0, -1)}${MARK}` : etag
}

/**
 * Gives the service its own tags back where a client names those of compressed replies: a weak one never matches in
 * If-Match (section 13.1.1), so nobody could change what was read compressed. Returns what the client said in
 * If-None-Match, if such tags may be among it.
 */
export function restoreTags(headers: Headers): string | undefined {
  // Most requests name none, and this is looked at for each.
  if (!mayHold(headers, MARK)) return undefined
  const sent = headers.combined('If-None-Match')
  for (const name of ['If-Match', 'If-None-Match']) {
    const value = headers.combined(name)
    if (value?.includes(MARK) === true) headers.set(name, value.replaceAll(MARKED, '"$1"'))
  }
  return sent
}
