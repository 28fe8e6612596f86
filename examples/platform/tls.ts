import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseDocument } from 'yaml'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** What the gateway needs to speak TLS for as long as the demo runs. */
export interface DemoTls {
  /** sallyport.yaml with certificates for its listener. */
  readonly config: string
  /** File with the authority that signed them. */
  readonly ca: string
  /** Removes all of it. */
  remove(): void
}

/** Makes a certificate by `sallyport certificate` and a configuration that uses it, in a folder that goes with the demo. */
export function prepareTls(): DemoTls {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-demo-'))
  const args = ['src/main.ts', 'certificate', '--out', folder, '--ca', join(folder, 'authority')]
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) throw new Error('sallyport certificate has failed: see above.')
  const document = parseDocument(readFileSync(join(root, 'sallyport.yaml'), 'utf8'))
  const certificates = [{ cert: 'localhost.pem', key: 'localhost-key.pem' }]
  document.setIn(['listeners', 0, 'tls'], { certificates })
  const config = join(folder, 'sallyport.yaml')
  writeFileSync(config, document.toString())
  return { config, ca: join(folder, 'ca.pem'), remove: () => rmSync(folder, { recursive: true, force: true }) }
}
