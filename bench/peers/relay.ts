import { join } from 'node:path'
import type { Peer } from './peer.ts'

/**
 * The lower bound for anything that runs on Node: it relays bytes between node:net sockets and is not a proxy, because it knows nothing of
 * HTTP. No proxy on Node can get below its cost by faster parsing.
 */
export const relay: Peer = {
  name: 'relay',
  jit: true,
  version: () => process.versions.node,
  async prepare({ port, backendPort }) {
    const file = join(import.meta.dirname, 'servers/relay.js')
    return {
      command: process.execPath,
      args: [file, String(port), String(backendPort)],
      env: { NODE_ENV: 'production' },
    }
  },
}
