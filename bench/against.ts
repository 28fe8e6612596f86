import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer } from './peers/peer.ts'
import { sallyport } from './peers/sallyport.ts'

/**
 * Sallyport at a git ref, with its tree unpacked into a new folder below `dir`; it shares today's node_modules. Uses `git archive` instead
 * of `git worktree`, so that an interrupted run leaves nothing behind in the repository. Throws if the ref does not exist.
 */
export function sallyportAt(ref: string, projectRoot: string, dir: string): Peer {
  const git = (...args: string[]) => execFileSync('git', ['-C', projectRoot, ...args], { maxBuffer: 1024 ** 3 })
  const commit = git('rev-parse', '--verify', '--end-of-options', `${ref}^{commit}`).toString().trim()
  const root = join(dir, `sallyport-${commit.slice(0, 12)}`)
  mkdirSync(root)
  execFileSync('tar', ['-x', '-C', root], { input: git('archive', '--format=tar', commit) })
  symlinkSync(join(projectRoot, 'node_modules'), join(root, 'node_modules'))
  return sallyport(`Sallyport@${ref}`, root)
}
