import type { Exchange } from '../../http/exchange.ts'
import type { Reply } from '../../http/reply.ts'
import type { Instance } from '../instance.ts'
import { Marks } from './marks.ts'
import type { Sticky, StickyTools } from './sticky.ts'

/** Between what the service said and the mark of the instance: a character that tokens may have, and that few of them end with. */
const BEFORE_MARK = '~'

/** What the configuration says. */
export interface StickyHeaderOptions {
  readonly header: string
}

/**
 * By a header in which the service names a session and clients send the name back, such as Mcp-Session-Id: the gateway adds the instance to
 * the name on the way to the client, and takes it out on the way back.
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
