import { type Address, formatAddress } from '../core/address.ts'

/** The name by which routes refer to a listener: its name, or its address if it has none. */
export function listenerName({
  name,
  address,
}: {
  readonly name?: string | undefined
  readonly address: Address
}): string {
  return name ?? formatAddress(address)
}
