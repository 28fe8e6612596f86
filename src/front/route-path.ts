import type { Exchange, RouteInfo } from '../http/exchange.ts'
import type { Handler } from '../http/handler.ts'
import type { Reply } from '../http/reply.ts'

/** One path of a route: its metadata, and the end of its chain, which is not shared. */
export class RoutePath implements RouteInfo {
  readonly id: string
  readonly pattern: string
  readonly service: string | null
  readonly logged: boolean
  readonly streaming: boolean
  readonly #end: Handler

  constructor({ id, pattern, service, logged = true, streaming = false }: RouteInfo, end: Handler) {
    this.id = id
    this.pattern = pattern
    this.service = service
    this.logged = logged
    this.streaming = streaming
    this.#end = end
  }

  /** Continues after a chain shared by several routes, with the rest of the chain of the exchange's route. */
  static goOn(this: void, exchange: Exchange): Reply | Promise<Reply> {
    const { route } = exchange
    if (!(#end in route)) throw new TypeError('exchange.route was replaced, but it is read-only')
    return route.#end(exchange)
  }

  /** Like `goOn`, if only the route's end is left: a request that was rejected goes no further. */
  static arrive(this: void, exchange: Exchange): Reply | Promise<Reply> {
    if (exchange.refusal !== null) throw exchange.refusal
    return RoutePath.goOn(exchange)
  }
}
