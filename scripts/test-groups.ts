/** Which tests run when, and which of them share a process. */
import { globSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const folders = '{src,test,examples,bench,scripts}'

/** How a file of tests ends that `npm test` leaves to `npm run test:slow`. */
const SLOW = '.slow.test.ts'

/** Properties and comparisons with other implementations: both run them, the slow one with more cases. */
const DEEPER = /\.(?:property|reference)\.test\.ts$/

/** Most files in one process: to load what a file tests takes longer than most of its tests do. */
const SIZE = 24

/** The files that `npm test` runs, below `root`, sorted. */
export function quickFiles(root: string): string[] {
  return testFiles(root).filter((file) => !file.endsWith(SLOW))
}

/** The files that `npm run test:slow` runs, below `root`, sorted. */
export function slowFiles(root: string): string[] {
  return testFiles(root).filter((file) => file.endsWith(SLOW) || DEEPER.test(file))
}

function testFiles(root: string): string[] {
  return globSync(`${folders}/**/*.test.ts`, { cwd: root }).sort()
}

/** Neighbors, in lists of at most `size`. */
export function groups(files: readonly string[], size: number = SIZE): string[][] {
  return Array.from({ length: Math.ceil(files.length / size) }, (_, i) => files.slice(i * size, (i + 1) * size))
}

/** Writes a module for each group, which loads its files; returns the modules, and the folder that holds nothing else. */
export function writeGroups(root: string, files: readonly string[]): { folder: string; modules: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tests-'))
  const modules = groups(files).map((group, i) => {
    const module = join(folder, `${String(i + 1).padStart(2, '0')}.test.mjs`)
    writeFileSync(module, group.map((file) => `import '${pathToFileURL(join(root, file)).href}'\n`).join(''))
    return module
  })
  return { folder, modules }
}
