import { lookup } from 'mrmime'

/** Of which a browser would have to guess the encoding. */
const TEXT = /^text\/|^application\/(?:json|manifest\+json|xml)$|\+xml$/

/** The media type that a file has by its name; text is UTF-8. */
export function contentTypeOf(name: string): string {
  const type = lookup(name) ?? 'application/octet-stream'
  return TEXT.test(type) ? `${type}; charset=utf-8` : type
}
