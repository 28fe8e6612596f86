import { GatewayError } from '../../src/core/errors.ts'

/** The code of the error that the call throws, or its return value. */
export function codeOf<T>(call: () => T): T | string {
  try {
    return call()
  } catch (error) {
    if (error instanceof GatewayError) return error.code
    throw error
  }
}

/** The result of a parser: all of its fields except internal ones. */
export function plainState(parser: { readonly fields: object }): object {
  const plain = (object: object) =>
    Object.entries(object).filter(
      ([name, value]) => (typeof value !== 'object' || value === null) && name !== 'lastHost',
    )
  return { ...Object.fromEntries(plain(parser)), fields: Object.fromEntries(plain(parser.fields)) }
}
