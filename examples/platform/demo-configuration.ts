import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isMap, isSeq, parseDocument } from 'yaml'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the gateway runs on for as long as the demo does. */
export interface DemoConfiguration {
  /** sallyport.yaml with what grpc.yaml adds to it, and certificates for its listener where it is to speak TLS. */
  readonly config: string
  /** File with the authority that signed these; null without TLS. */
  readonly ca: string | null
  /** Removes all of it. */
  remove(): void
}

/** Creates the configuration, with a certificate from `sallyport certificate` if TLS is requested, in a folder that is deleted with the demo. */
export function prepareConfiguration(tls: boolean): DemoConfiguration {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'))
  const document = parseDocument(readFileSync(join(root, 'sallyport.yaml'), 'utf8'))
  addGrpc(document)
  if (tls) {
    makeCertificate(folder)
    const certificates = [{ cert: 'localhost.pem', key: 'localhost-key.pem' }]
    document.setIn(['listeners', 0, 'tls'], { certificates })
  }
  const config = join(folder, 'sallyport.yaml')
  writeFileSync(config, document.toString())
  return {
    config,
    ca: tls ? join(folder, 'ca.pem') : null,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function addGrpc(document: ReturnType<typeof parseDocument>): void {
  const added = parseDocument(readFileSync(new URL('grpc.yaml', import.meta.url), 'utf8'))
  const [services, routes] = [added.get('services'), added.get('routes')]
  if (!isMap(services) || !isSeq(routes)) throw new Error('grpc.yaml has no services and routes')
  for (const pair of services.items) document.addIn(['services'], pair)
  for (const route of routes.items) document.addIn(['routes'], route)
}

function makeCertificate(folder: string): void {
  const args = ['src/main.ts', 'certificate', '--out', folder, '--ca', join(folder, 'authority')]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('sallyport certificate has failed: see above.')
}
