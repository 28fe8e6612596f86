import { clientNetwork } from '../core/client-network.ts'

/** The properties of a lane that decide whether its exchange may be ended in favor of others. */
export interface OccupiedLane {
  /** The network of the client of its current exchange (see `clientNetwork`), or null. */
  readonly network: string | null
  /**
   * Since when the exchange has been waiting for that client to send more of its body or take more of its reply;
   * Infinity while it is not waiting.
   */
  readonly waitingForClient: number
}

/**
 * How long an exchange may wait for its own client while others wait for its lane, in milliseconds: for a client that
 * has more than half of the lanes, and for any other.
 */
const GREEDY_TIMEOUT = 500
const TIMEOUT = 5_000

/**
 * The lane whose exchange has waited for its own client for longest, if that is too long while a request of `client`
 * waits for a lane; null where there is none. `max` is the maximum number of lanes.
 */
export function slowestExchange<L extends OccupiedLane>(
  lanes: Iterable<L>,
  max: number,
  now: number,
  client: string,
): L | null {
  const greedy = networkOfMost(lanes, max)
  const ofGreedy =
    greedy === null || greedy === clientNetwork(client) ? null : longestWaiting(lanes, now - GREEDY_TIMEOUT, greedy)
  return ofGreedy ?? longestWaiting(lanes, now - TIMEOUT, null)
}

/** The lane that has waited for longest, since `until` or before; of one network, or of any for null. */
function longestWaiting<L extends OccupiedLane>(lanes: Iterable<L>, until: number, network: string | null): L | null {
  let found: L | null = null
  let since = until
  for (const lane of lanes) {
    if (lane.network === null || lane.waitingForClient > since) continue
    if (network !== null && lane.network !== network) continue
    found = lane
    since = lane.waitingForClient
  }
  return found
}

/** The network that has more than half of `max` lanes, or null. */
function networkOfMost(lanes: Iterable<OccupiedLane>, max: number): string | null {
  let candidate: string | null = null
  let lead = 0
  // Majority vote: pairing off lanes of different networks leaves only the one that has more than half, if there is one.
  for (const { network } of lanes) {
    if (network === null) continue
    if (lead === 0) candidate = network
    lead += network === candidate ? 1 : -1
  }
  if (candidate === null) return null
  let count = 0
  for (const { network } of lanes) if (network === candidate) count++
  return count > max / 2 ? candidate : null
}
