import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { pooledConnections, type Peer, type Place } from './peer.ts'

const manifest = z.object({ version: z.string() })

/**
 * Sallyport from the source tree at `root`, without access log and health checks; variants with more than one worker run only in scenarios
 * that name them.
 */
export function sallyport(name: string, root: string, workers = 1): Peer {
  const main = join(root, 'src/main.ts')
  return {
    name,
    jit: true,
    ...(workers > 1 && { onlyNamed: true }),
    version() {
      if (!existsSync(main)) return undefined
      return manifest.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).version
    },
    async prepare(place) {
      const config = join(place.dir, 'sallyport.yaml')
      await writeFile(config, JSON.stringify(sallyportConfig(place, workers), undefined, 2))
      return {
        command: process.execPath,
        args: [main, 'start', '--config', config],
        env: { NODE_ENV: 'production' },
      }
    },
  }
}

/** JSON is YAML too. */
function sallyportConfig(place: Place, workers: number): Record<string, unknown> {
  const { port, adminPort, backendPort, files, certificate, http2Service, sallyport: additions } = place
  const tls =
    certificate === undefined ? {} : { tls: { certificates: [{ cert: certificate.cert, key: certificate.key }] } }
  return {
    listeners: [{ address: `127.0.0.1:${port}`, ...tls }],
    admin: { address: `127.0.0.1:${adminPort}` },
    workers,
    log: { level: 'warn', access: false },
    limits: { body: '64mb' },
    services: {
      backend: {
        instances: [`http://127.0.0.1:${backendPort}`],
        health: false,
        pool: { connections: pooledConnections },
        ...(http2Service && { http2: true }),
      },
    },
    routes: [
      { id: 'all', match: { path: '/*' }, service: 'backend' },
      ...(files === undefined
        ? []
        : [{ id: 'files', match: { path: '/files/*' }, files: { root: files }, rewrite: { strip: '/files' } }]),
    ],
    ...additions,
  }
}
