import { join } from 'node:path'
import type { Peer } from './peer.ts'

/**
 * The lower bound for proxies on Node: it relays bytes between node:net sockets and is not a proxy, because it knows nothing of HTTP. No
 * proxy on Node can get below its cost by faster parsing.
 */
export const relay: Peer = server('relay', 'relay.js')

/** The lower bound for caches on Node: it writes the same stored bytes for everything that it reads from a node:net socket. */
export const replier: Peer = { ...server('replier', 'replier.js'), onlyNamed: true }

function server(name: string, file: string): Peer {
  return {
    name,
    jit: true,
    version: () => process.versions.node,
    async prepare({ port, backendPort }) {
      return {
        command: process.execPath,
        args: [join(import.meta.dirname, 'servers', file), String(port), String(backendPort)],
        env: { NODE_ENV: 'production' },
      }
    },
  }
}
