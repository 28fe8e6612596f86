/** A lane as far as its exchange may have to make way. */
export interface Carrying {
  /** The client that it has an exchange for at the moment, or null. */
  readonly client: string | null
  /** Since when that client has had to send more of its body, or to take more of its reply; Infinity where it has not. */
  readonly waitingForClient: number
}

/**
 * How long an exchange may wait for its own client while others wait for its lane, in milliseconds: that of a client
 * which has more than half of the lanes, and any other.
 */
const PATIENCE_WITH_MOST = 500
const PATIENCE = 5_000

/**
 * The lane whose exchange has waited for its own client for longest, if that is too long for a request of `client`
 * that waits for one; null where there is none. `most` lanes may be at the same time.
 */
export function slowestExchange<L extends Carrying>(
  lanes: Iterable<L>,
  most: number,
  now: number,
  client: string,
): L | null {
  const greedy = clientOfMost(lanes, most)
  const ofGreedy = greedy === null || greedy === client ? null : longestWaiting(lanes, now - PATIENCE_WITH_MOST, greedy)
  return ofGreedy ?? longestWaiting(lanes, now - PATIENCE, null)
}

/** The one that has waited for longest, since `until` or before; of one client, or of any. */
function longestWaiting<L extends Carrying>(lanes: Iterable<L>, until: number, client: string | null): L | null {
  let found: L | null = null
  let since = until
  for (const lane of lanes) {
    if (lane.client === null || lane.waitingForClient > since) continue
    if (client !== null && lane.client !== client) continue
    found = lane
    since = lane.waitingForClient
  }
  return found
}

/** The client that has more than half of `most` lanes, or null. */
function clientOfMost(lanes: Iterable<Carrying>, most: number): string | null {
  let candidate: string | null = null
  let lead = 0
  // Whoever has more than half is left over when each lane is set against one of another client.
  for (const { client } of lanes) {
    if (client === null) continue
    if (lead === 0) candidate = client
    lead += client === candidate ? 1 : -1
  }
  if (candidate === null) return null
  let count = 0
  for (const { client } of lanes) if (client === candidate) count++
  return count > most / 2 ? candidate : null
}
