import type { Exchange } from '../../http/exchange.ts'
import { Headers } from '../../http/headers.ts'
import { ambiguousPath, formsOf, READ_AMBIGUOUSLY, SPELLED_AMBIGUOUSLY } from '../../http/path-forms.ts'
import { createRouter, type Router } from '../../routing/router.ts'

/** The paths that need no credentials. */
export class PublicPaths {
  private readonly router: Router<null>

  constructor(patterns: readonly string[]) {
    this.router = createRouter(patterns.map((path) => ({ match: { path: [path] }, value: null })))
  }

  /** Whether a path in normal form is public. */
  has(path: string, method: string, headers = Headers.of()): boolean {
    return this.router.find('', path, method, headers, '').found
  }

  /** Whether the path of a request is public. Throws GatewayError 'bad-request' if the answer depends on how the path is encoded or read. */
  hasThatOf(exchange: Exchange): boolean {
    const { path, method, headers } = exchange
    const open = this.has(path, method, headers)
    const forms = formsOf(exchange)
    if (forms === null) return open
    if (forms.written !== null && this.has(forms.written, method, headers) !== open)
      throw ambiguousPath(SPELLED_AMBIGUOUSLY)
    if (forms.others.some((other) => this.has(other, method, headers) !== open)) throw ambiguousPath(READ_AMBIGUOUSLY)
    return open
  }
}
