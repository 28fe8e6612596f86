import { type Address, formatAddress } from '../core/address.ts'

/** What routes call a listener: its name, or its address where it has none. */
export function listenerName({
  name,
  address,
}: {
  readonly name?: string | undefined
  readonly address: Address
}): string {
  return name ?? formatAddress(address)
}
