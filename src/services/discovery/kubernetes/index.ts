import { Holder, Shared } from '../../../core/shared.ts'
import { messageOf } from '../../../core/error-facts.ts'
import type { Toolbox } from '../../../core/toolbox.ts'
import type { Discoverer, DiscoveryKind, DiscoveryListener } from '../discoverer.ts'
import { accessOf } from './access.ts'
import type { KubernetesOptions } from './options.ts'
import { instancesOf, type Slice } from './slices.ts'
import { SliceWatch } from './watch.ts'

/** One watch per Service, shared by all ports. */
const watches = new Shared<SliceWatch>()

/** Discovery by the EndpointSlices of a Service. */
export const kubernetes: DiscoveryKind<KubernetesOptions> = {
  subject: ({ service, namespace, port }) =>
    `Service ${service}${namespace === undefined ? '' : ` in ${namespace}`}${port === undefined ? '' : `, port ${port}`}`,
  create: (options, finder, tools) => new ServiceDiscoverer(options, finder, tools),
}

/** Discovers the pods behind one port of a Service. */
class ServiceDiscoverer implements Discoverer {
  private readonly options: KubernetesOptions
  private readonly finder: DiscoveryListener
  private readonly tools: Toolbox
  private readonly holder: Holder
  private leave = (): void => {}

  constructor(options: KubernetesOptions, finder: DiscoveryListener, tools: Toolbox) {
    this.options = options
    this.finder = finder
    this.tools = tools
    this.holder = new Holder(tools)
  }

  start(): void {
    const { options, holder, tools } = this
    const { port: _, ...place } = options
    const access = () => accessOf(options, process.env)
    const { service } = options
    const make = (): SliceWatch => new SliceWatch({ ...tools, service, access })
    this.leave = watches.get(holder, JSON.stringify(place), make).add({
      known: (slices) => this.take(slices),
      failed: (reason) => this.finder.failed(reason),
    })
  }

  stop(): void {
    this.leave()
    this.holder.release()
  }

  private take(slices: Iterable<Slice>): void {
    const { finder, options } = this
    try {
      finder.found(instancesOf(slices, options.port), null)
    } catch (error) {
      finder.failed(messageOf(error))
    }
  }
}
