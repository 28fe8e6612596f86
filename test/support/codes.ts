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
