/**
 * Builds the images and tests them: node scripts/image.ts [--stand-in]. Needs root on Linux, and buildah. With --stand-in also debootstrap:
 * the base image is then made here instead of pulled.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { version } from '../src/core/version.ts'
import { buildah, hasImage } from './image/buildah.ts'
import { makeStandIn } from './image/stand-in.ts'
import { tryGateway, tryServices } from './image/try-out.ts'
import { ensure, type TestServer } from './test-servers.ts'

const root = join(import.meta.dirname, '..')
const base = /^ARG NODE_IMAGE=(.+)$/m.exec(readFileSync(join(root, 'deploy/docker/Dockerfile'), 'utf8'))?.[1] ?? ''
const gateway = `microservice-platform/api-gateway:${version}`
const examples = `microservice-platform/examples:${version}`

/** Maximum size of the gateway's image, in bytes. */
const MAX_SIZE = 180e6
const MAX_COMPRESSED_SIZE = 60e6

const tools: readonly TestServer[] = [
  { command: 'redis-server', package: 'redis-server', tests: 'what replicas share' },
  { command: 'buildah', package: 'buildah', tests: 'building images' },
  { command: 'debootstrap', package: 'debootstrap', tests: 'a stand-in for the image of Node' },
]

/**
 * 1. Check the tools and the base image.
 * 2. Build the images.
 * 3. Check the size, and that there is no shell.
 * 4. Test the gateway.
 * 5. Test each of the services.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { 'stand-in': { type: 'boolean', default: false } } })
  const standIn = values['stand-in']
  // 1.
  ensure(standIn ? tools : tools.slice(0, -1))
  const name = `docker.io/library/${base}`
  if (standIn && !hasImage(name)) timed('a stand-in for the base', () => makeStandIn(name))
  // 2.
  const revision = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim()
  const labels = [`VERSION=${version}`, `REVISION=${revision}`, `CREATED=${new Date().toISOString()}`]
  const build = (file: string, tag: string, ...args: string[]): void => {
    const options = ['--quiet', '--format', 'docker', standIn ? '--pull-never' : '--pull', '--file', join(root, file)]
    timed(tag, () => buildah('bud', ...options, ...args, '--tag', tag, root))
  }
  build('deploy/docker/Dockerfile', gateway, ...labels.flatMap((label) => ['--build-arg', label]))
  build('examples/platform/Dockerfile', examples)
  // Images that the new ones have replaced.
  buildah('rmi', '--prune')

  await mounted(gateway, async (folder) => {
    // 3.
    measure(folder)
    // 4.
    await tryGateway(folder)
  })
  // 5.
  await mounted(examples, tryServices)
}

/** Calls `work` with the folder where an image is mounted. */
async function mounted(image: string, work: (folder: string) => Promise<void>): Promise<void> {
  const container = buildah('from', '--pull-never', image).trim()
  try {
    await work(buildah('mount', container).trim())
  } finally {
    buildah('rm', container)
  }
}

function timed(what: string, work: () => void): void {
  const start = performance.now()
  work()
  console.log(`${what}: ${((performance.now() - start) / 1000).toFixed(0)} s`)
}

function measure(folder: string): void {
  const size = Number(execFileSync('du', ['--summarize', '--bytes', folder], { encoding: 'utf8' }).split('\t')[0])
  const pack = `tar --create --directory "$1" . | gzip | wc --bytes`
  const compressed = Number(execFileSync('sh', ['-c', pack, 'sh', folder], { encoding: 'utf8' }))
  console.log(`size: ${(size / 1e6).toFixed(1)} MB, compressed ${(compressed / 1e6).toFixed(1)} MB`)
  if (size > MAX_SIZE || compressed > MAX_COMPRESSED_SIZE) throw new Error('The image is too large.')
  const programs = readdirSync(join(folder, 'usr/bin'))
  if (programs.join() !== 'node,sallyport') throw new Error(`The image has other programs: ${programs.join(', ')}`)
}

await main()
process.exit(0)
