import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where images are stored, separately from those of the machine. */
const folder = join(homedir(), '.cache/sallyport-image')

/** Also works in a container, where neither namespaces nor an overlay are available. */
const env = { ...process.env, BUILDAH_ISOLATION: 'chroot' }
const storage = ['--root', join(folder, 'storage'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs']

/** Runs buildah with these arguments; returns its output. Throws if it fails. */
export function buildah(...args: readonly string[]): string {
  return execFileSync('buildah', [...storage, ...args], { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Whether there is such an image. */
export function hasImage(name: string): boolean {
  const { status } = spawnSync('buildah', [...storage, 'inspect', '--type', 'image', name], { env, stdio: 'ignore' })
  return status === 0
}

/** A folder of that name next to the images. */
export function folderFor(name: string): string {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true })
  return path
}
