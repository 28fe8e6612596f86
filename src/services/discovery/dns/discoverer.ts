import { Resolver } from 'node:dns/promises'
import { messageOf } from '../../../core/error-facts.ts'
import type { Toolbox } from '../../../core/toolbox.ts'
import type { Discoverer, DiscoveryListener } from '../discoverer.ts'
import { Lookup, type Looked } from './lookup.ts'
import { Names, NO_FILES, readNameFiles } from './names.ts'
import type { DnsOptions } from './options.ts'

/** Timeout per server in milliseconds, and number of tries. */
const TIMEOUT = 2_000
const TRIES = 2
/** Time limit for a complete lookup, in milliseconds. */
const MAX_DELAY = 15_000
/** Number of consecutive empty answers before they are believed: a single one may be due to a service that is just being recreated. */
const BELIEVED = 3
/** Maximum random extension of the wait, so that gateways do not query at the same time. */
const JITTER = 0.1

/** Repeats a lookup when its TTL expires, or soon after a failure. */
export class DnsDiscoverer implements Discoverer {
  private readonly options: DnsOptions
  private readonly finder: DiscoveryListener
  private readonly tools: Toolbox
  private readonly lookup: Lookup
  /** Cancels the lookup in progress or the wait for the next one. */
  private callOff: () => void = () => {}
  private stopped = false
  /** Number of consecutive empty answers, and of consecutive failures. */
  private empty = 0
  private failures = 0

  constructor(options: DnsOptions, finder: DiscoveryListener, tools: Toolbox) {
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
    // Created for each lookup, so that it uses the current resolv.conf and no earlier answers.
    const resolver = new Resolver({ timeout: TIMEOUT, tries: TRIES })
    const { server } = this.options
    if (server !== undefined) resolver.setServers([server])
    const cancel = clock.after(MAX_DELAY, () => resolver.cancel())
    this.callOff = () => {
      cancel()
      resolver.cancel()
    }
    let next: number
    try {
      const files = server === undefined ? await readNameFiles() : NO_FILES
      const found = await this.lookup.by(new Names(resolver, files))
      if (this.stopped) return
      next = this.answered(found)
    } catch (error) {
      if (this.stopped) return
      next = this.failed(messageOf(error))
    }
    cancel()
    this.callOff = clock.after(next * (1 + JITTER * this.tools.random()), () => void this.look())
  }

  /** Returns how long the answer is valid, in milliseconds. */
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

  /** Returns the delay until the next try, which grows with each failure. */
  private failed(reason: string): number {
    const { minInterval, maxInterval } = this.options
    this.finder.failed(reason)
    const wait = Math.min(minInterval * 2 ** this.failures, maxInterval)
    this.failures++
    return wait
  }
}
