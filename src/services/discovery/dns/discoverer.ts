import { Resolver } from 'node:dns/promises'
import { messageOf } from '../../../core/error-facts.ts'
import type { Toolbox } from '../../../core/toolbox.ts'
import type { Discoverer, Finder } from '../discoverer.ts'
import { Lookup, type Looked } from './lookup.ts'
import { Names, NO_FILES, readNameFiles } from './names.ts'
import type { DnsOptions } from './options.ts'

/** How long one server is waited for, in milliseconds, and how often each is asked. */
const TIMEOUT = 2_000
const TRIES = 2
/** How long a whole lookup may take, in milliseconds. */
const LONGEST = 15_000
/** So many answers in a row without an address are believed: one may be the moment in which a service is put anew. */
const BELIEVED = 3
/** How much longer than it has to it waits at most, so that gateways do not ask at the same time. */
const JITTER = 0.1

/** Looks a name up when its TTL is over, or soon again where it could not be looked up. */
export class DnsDiscoverer implements Discoverer {
  private readonly options: DnsOptions
  private readonly finder: Finder
  private readonly tools: Toolbox
  private readonly lookup: Lookup
  /** Ends the lookup that is under way, or the wait for the next one. */
  private callOff: () => void = () => {}
  private stopped = false
  /** Answers in a row without an address, and failures. */
  private empty = 0
  private failures = 0

  constructor(options: DnsOptions, finder: Finder, tools: Toolbox) {
    this.options = options
    this.finder = finder
    this.tools = tools
    this.lookup = new Lookup(options)
  }

  start(): void {
    void this.look()
  }

  stop(): void {
    this.stopped = true
    this.callOff()
  }

  private async look(): Promise<void> {
    const { clock } = this.tools
    // Anew each time: it goes by what resolv.conf says now, and by no answer of before.
    const resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES })
    const { server } = this.options
    if (server !== undefined) resolver.setServers([server])
    const cancel = clock.after(LONGEST, () => resolver.cancel())
    this.callOff = () => {
      cancel()
      resolver.cancel()
    }
    let next: number
    try {
      const files = server === undefined ? await readNameFiles() : NO_FILES
      const looked = await this.lookup.by(new Names(resolver, files))
      if (this.stopped) return
      next = this.answered(looked)
    } catch (error) {
      if (this.stopped) return
      next = this.failed(messageOf(error))
    }
    cancel()
    this.callOff = clock.after(next * (1 + JITTER * this.tools.random()), () => void this.look())
  }

  /** Returns how long that holds, in milliseconds. */
  private answered({ instances, ttl, problem }: Looked): number {
    const { minInterval, maxInterval, name } = this.options
    this.empty = instances.length === 0 ? this.empty + 1 : 0
    if (instances.length === 0 && this.empty < BELIEVED) {
      this.finder.failed(`${name} has no addresses`)
      return minInterval
    }
    this.failures = 0
    this.finder.found(instances, problem)
    return Math.min(Math.max(ttl, minInterval), maxInterval)
  }

  /** Returns when it is tried again: later each time. */
  private failed(reason: string): number {
    const { minInterval, maxInterval } = this.options
    this.finder.failed(reason)
    const wait = Math.min(minInterval * 2 ** this.failures, maxInterval)
    this.failures++
    return wait
  }
}
