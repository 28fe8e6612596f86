import { join } from 'node:path'
import type { Peer } from './peer.ts'

/**
 * The floor of what runs on Node: a relay of octets between sockets of node:net, which is no proxy, as it knows nothing of HTTP. What it costs
 * nobody on Node gets below by parsing faster.
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
