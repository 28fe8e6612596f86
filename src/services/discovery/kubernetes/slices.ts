import { isIP } from 'node:net'
import { formatAddress } from '../../../core/address.ts'
import { fieldOf, isFields, itemsOf } from '../../../core/value.ts'
import type { DiscoveredInstance } from '../discoverer.ts'

/** The content of an EndpointSlice (discovery.k8s.io/v1). */
export interface Slice {
  readonly name: string
  readonly family: 4 | 6
  readonly endpoints: readonly Endpoint[]
  /** Null if it lists no ports at all. */
  readonly ports: readonly SlicePort[]
}

interface Endpoint {
  readonly address: string
  /** Ready for requests, draining its remaining ones, or neither. */
  readonly state: 'ready' | 'draining' | 'gone'
  readonly zone: string | null
}

interface SlicePort {
  readonly name: string
  readonly number: number
}

/** The wanted port of the pods: its name, its number, or undefined for the only one. */
export type WantedPort = string | number | undefined

/** Parses an API object; null if it is unusable: without a name, or with addresses that are not IP addresses. */
export function parseSlice(object: unknown): Slice | null {
  const name = fieldOf(fieldOf(object, 'metadata'), 'name')
  const type = fieldOf(object, 'addressType')
  if (typeof name !== 'string' || (type !== 'IPv4' && type !== 'IPv6')) return null
  const family = type === 'IPv4' ? 4 : 6
  return {
    name,
    family,
    endpoints: itemsOf(fieldOf(object, 'endpoints')).flatMap((each) => parseEndpoint(each, family) ?? []),
    ports: itemsOf(fieldOf(object, 'ports')).flatMap((each) => parsePort(each) ?? []),
  }
}

/** Only the first address counts, as in kube-proxy: the meaning of further ones is undefined. */
function parseEndpoint(endpoint: unknown, family: 4 | 6): Endpoint | null {
  const [address] = itemsOf(fieldOf(endpoint, 'addresses'))
  if (typeof address !== 'string' || isIP(address) !== family) return null
  const conditions = fieldOf(endpoint, 'conditions')
  // Defaults for omitted conditions: ready is true, serving equals ready, and terminating is false.
  const ready = fieldOf(conditions, 'ready') !== false
  const serving = (fieldOf(conditions, 'serving') ?? ready) === true
  const terminating = fieldOf(conditions, 'terminating') === true
  const zone = fieldOf(endpoint, 'zone')
  const state = ready ? 'ready' : serving && terminating ? 'draining' : 'gone'
  return { address, state, zone: typeof zone === 'string' && zone !== '' ? zone : null }
}

function parsePort(port: unknown): SlicePort | null {
  const [name, number, protocol] = [fieldOf(port, 'name'), fieldOf(port, 'port'), fieldOf(port, 'protocol')]
  if (!isFields(port) || typeof number !== 'number' || (protocol ?? 'TCP') !== 'TCP') return null
  if (!Number.isInteger(number) || number < 1 || number > 65_535) return null
  return { name: typeof name === 'string' ? name : '', number }
}

/**
 * The instances described by all slices of one Service. Throws an Error if they have endpoints but not that port.
 *
 * 1. Each slice has its own port.
 * 2. A dual-stack pod is one instance, in the family in which more pods are ready.
 * 3. A pod may temporarily be in two slices: the better state counts.
 * 4. Terminating pods only get requests of clients bound to them, unless no other pods are left.
 */
export function instancesOf(slices: Iterable<Slice>, port: WantedPort): readonly DiscoveredInstance[] {
  const families = { 4: new Map<string, Placed>(), 6: new Map<string, Placed>() }
  const without = new Set<string>()
  for (const { family, endpoints, ports } of slices) {
    const living = endpoints.filter(({ state }) => state !== 'gone')
    if (living.length === 0) continue
    // 1.
    const number = numberOf(ports, port)
    if (number === null) for (const each of ports) without.add(each.name === '' ? String(each.number) : each.name)
    if (number !== null) place(families[family], living, number)
    else if (ports.length === 0) without.add('none')
  }
  // 2.
  const chosen = readyIn(families[6]) > readyIn(families[4]) ? families[6] : families[4]
  const placed = chosen.size > 0 ? chosen : families[6]
  if (placed.size === 0 && without.size > 0)
    throw new Error(`it has no port ${port ?? 'that is the only one'}: its ports are ${[...without].join(', ')}`)
  // 4.
  const some = readyIn(placed) > 0
  return Array.from(placed.values(), ({ host, port: at, ready, zone }) => ({
    host,
    port: at,
    weight: ready || !some ? 1 : 0,
    zone,
  }))
}

interface Placed {
  readonly host: string
  readonly port: number
  readonly ready: boolean
  readonly zone: string | null
}

// 3.
function place(all: Map<string, Placed>, endpoints: readonly Endpoint[], port: number): void {
  for (const { address: host, state, zone } of endpoints) {
    const key = formatAddress({ host, port })
    const ready = state === 'ready' || all.get(key)?.ready === true
    all.set(key, { host, port, ready, zone: all.get(key)?.zone ?? zone })
  }
}

function readyIn(all: ReadonlyMap<string, Placed>): number {
  let count = 0
  for (const { ready } of all.values()) if (ready) count++
  return count
}

function numberOf(ports: readonly SlicePort[], wanted: WantedPort): number | null {
  if (wanted === undefined) return ports.length === 1 ? (ports[0]?.number ?? null) : null
  if (typeof wanted === 'string') return ports.find(({ name }) => name === wanted)?.number ?? null
  // A Service without ports of its own leaves the choice to the caller.
  return ports.length === 0 || ports.some(({ number }) => number === wanted) ? wanted : null
}
