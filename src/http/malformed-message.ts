import { GatewayError } from '../core/errors.ts'

/** A message, or a part of it, is not what its protocol allows; which error it becomes depends on who sent it. */
export class MalformedMessage extends GatewayError {
  constructor(detail: string) {
    super('bad-request', detail)
  }
}
