import { z } from 'zod'
import { memoize } from '../core/memoize.ts'

const expected = 'expected a media type such as "application/json", "text/*" or "application/*+json"'

/** Schema of a media type in which an asterisk may stand for any part of the subtype. */
export const mediaType = z
  .string(expected)
  .regex(/^[\w!#$&^.+-]+\/[\w!#$&^.+*-]+$/, expected)
  .toLowerCase()

/** Compiles media types into a predicate on Content-Type values; parameters are ignored. */
export function compileMediaTypes(types: readonly string[]): (contentType: string) => boolean {
  const sources = types.map((type) => type.replaceAll(/[^\w*]/g, '\\$&').replaceAll('*', '.*'))
  const listed = new RegExp(`^(?:${sources.join('|')})$`)
  return memoize((contentType) => listed.test(essence(contentType)))
}

/** Type and subtype in lower case, without the parameters. */
export function essence(contentType: string): string {
  const [type = ''] = contentType.split(';', 1)
  return type.trim().toLowerCase()
}
