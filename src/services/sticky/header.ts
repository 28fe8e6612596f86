import type { Exchange } from '../../http/exchange.ts'
import type { Reply } from '../../http/reply.ts'
import type { Instance } from '../instance.ts'
import { Marks } from './marks.ts'
import type { Sticky, StickyTools } from './sticky.ts'

/** Separates the service's value from the mark of the instance: a character that is valid in tokens, yet rare at their end. */
const BEFORE_MARK = '~'

/** The configured options. */
export interface StickyHeaderOptions {
  readonly header: string
}

/**
 * Session affinity by a header in which the service names a session and clients send the name back, such as Mcp-Session-Id. The gateway
 * appends the instance's mark to the name in replies and strips it from requests.
 */
export class StickyHeader<I extends Instance> implements Sticky<I> {
  private readonly name: string
  private readonly marks: Marks<I>

  constructor(service: string, { header }: StickyHeaderOptions, instances: readonly I[], tools: StickyTools) {
    this.name = header
    this.marks = new Marks(service, instances, tools)
  }

  bound({ headers }: Exchange): I | null {
    const value = headers.single(this.name)
    if (typeof value !== 'string') return null
    const at = value.lastIndexOf(BEFORE_MARK)
    const mark = value.slice(at + 1)
    if (at === -1 || !this.marks.has(mark)) return null
    headers.set(this.name, value.slice(0, at))
    return this.marks.find(mark)
  }

  bind(_exchange: Exchange, instance: I, { headers }: Reply): void {
    const value = headers.single(this.name)
    if (typeof value === 'string' && value !== '') headers.set(this.name, value + BEFORE_MARK + this.marks.of(instance))
  }
}
