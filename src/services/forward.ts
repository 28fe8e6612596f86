import type { Exchange } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import { sentPath } from '../http/path-forms.ts'
import { PendingReply } from '../http/pending-reply.ts'
import { checkTarget, isAsked } from '../http/target.ts'
import { Attempts } from './attempts.ts'
import type { CurrentService } from './current-service.ts'
import { type ForwardOptions, RequestForm } from './request-form.ts'

/** The path that a service is asked for. Throws a TypeError for one that cannot be, which a policy has made. */
export function pathFor(exchange: Exchange, rewrite: ForwardOptions['rewrite']): string {
  const path = rewrite === null ? sentPath(exchange) : rewrite(exchange)
  // Most go on as they came: what the wire has read needs no other look.
  if (!isAsked(exchange.target, path, exchange.query)) checkTarget(path, exchange.query)
  return path
}

/** The handler at the end of a chain: passes the exchange to an instance of the service and returns its reply. */
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
