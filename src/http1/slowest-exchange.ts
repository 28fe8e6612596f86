import type { ClientConnection } from './client-connection.ts'

/**
 * How long an exchange may wait for its own client while others wait for its connection, in milliseconds: that of a client
 * which has more than half of the connections, and any other.
 */
const PATIENCE_WITH_MOST = 500
const PATIENCE = 5_000

/**
 * The connection whose exchange has waited for its own client for longest, if that is too long for a request of `client`
 * that waits for a connection; null where there is none. `most` connections may be at the same time.
 */
export function slowestExchange(
  connections: ReadonlySet<ClientConnection>,
  most: number,
  now: number,
  client: string,
): ClientConnection | null {
  const greedy = clientOfMost(connections, most)
  const ofGreedy =
    greedy === null || greedy === client ? null : longestWaiting(connections, now - PATIENCE_WITH_MOST, greedy)
  return ofGreedy ?? longestWaiting(connections, now - PATIENCE, null)
}

/** The one that has waited for longest, since `until` or before; of one client, or of any. */
function longestWaiting(
  connections: ReadonlySet<ClientConnection>,
  until: number,
  client: string | null,
): ClientConnection | null {
  let found: ClientConnection | null = null
  let since = until
  for (const connection of connections) {
    if (connection.client === null || connection.waitingForClient > since) continue
    if (client !== null && connection.client !== client) continue
    found = connection
    since = connection.waitingForClient
  }
  return found
}

/** The client that has more than half of `most` connections, or null. */
function clientOfMost(connections: ReadonlySet<ClientConnection>, most: number): string | null {
  let candidate: string | null = null
  let lead = 0
  // Whoever has more than half is left over when each connection is set against one of another client.
  for (const { client } of connections) {
    if (client === null) continue
    if (lead === 0) candidate = client
    lead += client === candidate ? 1 : -1
  }
  if (candidate === null) return null
  let count = 0
  for (const { client } of connections) if (client === candidate) count++
  return count > most / 2 ? candidate : null
}
