import { type Headers, mayHold } from '../../http/headers.ts'

/** Suffix of the tags of compressed replies: services do not create such tags, so they can be told apart. */
const MARK = '~compressed"'
const MARKED = /W\/"([\x21\x23-\x7e\x80-\xff]*)~compressed"/g

/**
 * The entity tag of the compressed content: its bytes differ from those for which the service gave a strong tag, but it is
 * equivalent, so the tag is weak (RFC 9110 section 8.8.1). Weak tags are left unchanged.
 */
export function compressedTag(etag: string): string {
  return etag.startsWith('"') && etag.endsWith('"') && etag.length > 1 ? `W/${etag.slice(0, -1)}${MARK}` : etag
}

/**
 * Restores the service's own tags where a client sends those of compressed replies: a weak tag never matches in If-Match (section
 * 13.1.1), so content that was received compressed could not be modified otherwise. Returns the original If-None-Match if it may
 * contain such tags.
 */
export function restoreTags(headers: Headers): string | undefined {
  // A quick check first: most requests contain no such tags.
  if (!mayHold(headers, MARK)) return undefined
  const sent = headers.combined('If-None-Match')
  for (const name of ['If-Match', 'If-None-Match']) {
    const value = headers.combined(name)
    if (value?.includes(MARK) === true) headers.set(name, value.replaceAll(MARKED, '"$1"'))
  }
  return sent
}
