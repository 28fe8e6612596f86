/** A stand-in for the base image, for machines that cannot pull it. */
import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildah, folderFor } from './buildah.ts'

/** Certificates that this machine trusts, including those of proxies between it and the package registry. */
const certificates = '/etc/ssl/certs/ca-certificates.crt'
const trusted = '/usr/local/share/machine-certificates.crt'

/**
 * Makes an image of that name:
 *
 * 1. Debian 12 in debootstrap's smallest variant, with the C++ libraries that Node is linked with.
 * 2. The Node that runs this script and the npm of this machine, whereas the real image has its own.
 * 3. The image.
 */
export function makeStandIn(name: string): void {
  const root = folderFor('stand-in')
  rmSync(root, { recursive: true })
  // 1.
  const packages = '--include=libatomic1,libstdc++6'
  execFileSync('debootstrap', ['--variant=minbase', packages, 'bookworm', root], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  // 2.
  const at = (path: string): string => join(root, path)
  copyFileSync(process.execPath, at('usr/local/bin/node'))
  chmodSync(at('usr/local/bin/node'), 0o755)
  mkdirSync(at('usr/local/lib/node_modules'), { recursive: true })
  cpSync(npmFolder(), at('usr/local/lib/node_modules/npm'), { recursive: true })
  symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', at('usr/local/bin/npm'))
  if (existsSync(certificates)) copyFileSync(certificates, at(trusted))
  // 3.
  const recipe = join(root, '..', 'stand-in.Dockerfile')
  writeFileSync(
    recipe,
    `FROM scratch
COPY . /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin NODE_EXTRA_CA_CERTS=${trusted}
`,
  )
  buildah('bud', '--quiet', '--file', recipe, '--tag', name, root)
  rmSync(root, { recursive: true })
}

/** Where the npm on PATH is installed. */
function npmFolder(): string {
  const program = execFileSync('sh', ['-c', 'readlink -f "$(command -v npm)"'], { encoding: 'utf8' }).trim()
  const folder = join(program, '../..')
  if (existsSync(join(folder, 'package.json'))) return folder
  throw new Error(`${program} is not an npm installation that can be copied.`)
}
