import { lookup } from 'mrmime'

/** Types for which a browser would otherwise have to guess the encoding. */
const TEXT = /^text\/|^application\/(?:json|manifest\+json|xml)$|\+xml$/

/** The media type of a file, by its name; text is UTF-8. */
export function contentTypeOf(name: string): string {
  const type = lookup(name) ?? 'application/octet-stream'
  return TEXT.test(type) ? `${type}; charset=utf-8` : type
}
