import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { describeCommit } from '../../../bench/machine.ts'
import type { Peer, Place, Told } from './peer.ts'

const root = join(import.meta.dirname, '../../..')
const manifest = z.object({ version: z.string() })

/** Sallyport from this source tree, with its default resilience settings. */
export const sallyport: Peer = {
  name: 'Sallyport',
  version() {
    const { version } = manifest.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
    return `${version} ${describeCommit(root)}`.trim()
  },
  async prepare(place) {
    const config = join(place.dir, 'sallyport.yaml')
    // JSON is YAML too.
    await writeFile(config, JSON.stringify(configuration(place), null, 2))
    return {
      command: process.execPath,
      args: [join(root, 'src/main.ts'), 'start', '--config', config],
      env: { NODE_ENV: 'production' },
    }
  },
  async told({ adminPort }) {
    const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`)
    return readTold(await response.text())
  },
}

function configuration({ port, adminPort, service }: Place): Record<string, unknown> {
  const instances =
    'name' in service
      ? { discover: { dns: { name: service.name, port: service.port, server: service.server } } }
      : { instances: service.instances.map((address) => `http://${address}`) }
  return {
    listeners: [{ address: `127.0.0.1:${port}` }],
    admin: { address: `127.0.0.1:${adminPort}` },
    log: { level: 'warn', access: false },
    services: { drilled: { ...instances, concurrency: { mode: 'adaptive' } } },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'drilled' }],
  }
}

/** The counts in the metrics. */
function readTold(metrics: string): Told {
  return { ejections: sum(metrics, 'sallyport_ejections_total'), shed: sum(metrics, 'sallyport_shed_total') }
}

function sum(metrics: string, name: string): number {
  const samples = metrics.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'gm'))
  return Array.from(samples, ([, value]) => Number(value)).reduce((total, value) => total + value, 0)
}
