import { GatewayError } from '../../src/core/errors.ts'

/** The code of the error that the call throws, or what it returns. */
export function codeOf<T>(call: () => T): T | string {
  try {
    return call()
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
}

/** What an object of a parser says: all of it but what it only works with. */
export function plainState(parser: { readonly fields: object }): object {
  const plain = (object: object) =>
    Object.entries(object).filter(
      ([name, value]) => (typeof value !== 'object' || value === null) && name !== 'lastHost',
    )
  return { ...Object.fromEntries(plain(parser)), fields: Object.fromEntries(plain(parser.fields)) }
}
