import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import type { Peer } from './peers/peer.ts'
import { sallyport } from './peers/sallyport.ts'

/**
 * Sallyport as it was at a git ref, its tree unpacked into a new folder below `dir`; it shares today's node_modules.
 * `git archive` instead of `git worktree`, so that a run that is cut short leaves nothing behind in the repository.
 * Throws when the ref does not exist.
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
