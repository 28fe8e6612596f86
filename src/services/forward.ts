import type { Exchange } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { sentPath } from '../http/path-forms.ts'
import { PendingReply } from '../http/pending-reply.ts'
import { checkTarget, isOriginalTarget } from '../http/target.ts'
import { Attempts } from './attempts.ts'
import type { CurrentService } from './current-service.ts'
import { type ForwardOptions, RequestForm } from './request-form.ts'

/** The path to request from a service. Throws a TypeError for an invalid path, which only a policy can have produced. */
export function pathFor(exchange: Exchange, rewrite: ForwardOptions['rewrite']): string {
  const path = rewrite === null ? sentPath(exchange) : rewrite(exchange)
  // Most paths are unchanged and were already validated when the request was read.
  if (!isOriginalTarget(exchange.target, path, exchange.query)) checkTarget(path, exchange.query)
  return path
}

/** The handler at the end of a chain: forwards the exchange to an instance of the service and returns its reply. */
export function createForward(service: Pick<CurrentService, 'current'>, options: ForwardOptions): Handler {
  const { rewrite } = options
  const form = new RequestForm(service.current.host, options)
  return (exchange) => {
    const path = pathFor(exchange, rewrite)
    const pending = new PendingReply(exchange)
    new Attempts(service.current, form, path, exchange, pending).begin()
    return pending.promise
  }
}
