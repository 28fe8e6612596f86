import { formatAddress } from '../core/address.ts'
import { present } from '../core/present.ts'
import type { SlotTable } from '../services/health/slots.ts'
import type { PassiveOptions } from '../services/passive/index.ts'
import type { ManagedService } from '../services/passive/ejection-manager.ts'
import type { InstanceOptions } from '../services/service-options.ts'

/** Services with their current instances. */
export type PassiveServices = Readonly<
  Record<string, { readonly instances: readonly InstanceOptions[]; readonly passive: PassiveOptions | false }>
>

/** The services as managed by the ejection keeper. */
export function managedServices({
  services,
  slots,
}: {
  services: PassiveServices
  slots: SlotTable
}): ManagedService[] {
  return Object.entries(services).map(([name, { passive, instances }]) => ({
    name,
    passive,
    instances: instances.map(({ url, weight }) => {
      const address = formatAddress(url)
      return { address, weight, slot: present(slots[name]?.get(address), `slot of ${address}`) }
    }),
  }))
}
