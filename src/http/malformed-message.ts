import { GatewayError } from '../core/errors.ts'

/** A message, or part of it, violates its protocol; which error it becomes depends on who sent it. */
export class MalformedMessage extends GatewayError {
  constructor(detail: string) {
    super('bad-request', detail)
  }
}
