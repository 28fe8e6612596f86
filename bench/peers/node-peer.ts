import { join } from 'node:path'
import { pooledConnections, type Peer } from './peer.ts'
import { packageVersion } from './version.ts'

/** A proxy from npm: its server file in servers/ runs as one process on the Node that runs the benchmark. */
export function nodePeer(packageName: string, server: string): Peer {
  return {
    name: packageName,
    jit: true,
    version: () => packageVersion(packageName),
    async prepare({ port, backendPort, dir }) {
      const file = join(import.meta.dirname, 'servers', server)
      return {
        command: process.execPath,
        args: [file, String(port), String(backendPort), String(pooledConnections), dir],
        env: { NODE_ENV: 'production' },
      }
    },
  }
}
