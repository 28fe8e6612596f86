/** Determines which tests run when, and which of them share a process. */
import { globSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const folders = '{src,test,examples,bench,scripts}'

/** The suffix of test files that `npm test` leaves to `npm run test:slow`. */
const SLOW = '.slow.test.ts'

/** Property tests and comparisons with other implementations: both commands run them, the slow one with more cases. */
const DEEPER = /\.(?:property|reference)\.test\.ts$/

/** Maximum numbers of files per process: loading the code under test takes longer than most of its tests. */
export interface Sizes {
  /** Of files in `test`, which test whole gateways. */
  readonly whole: number
  /** Of others, which test classes. */
  readonly parts: number
}

export const quickSizes: Sizes = { whole: 18, parts: 60 }
export const slowSizes: Sizes = { whole: 6, parts: 8 }

/** The files that `npm test` runs, below `root`, sorted. */
export function quickFiles(root: string): string[] {
  return testFiles(root).filter((file) => !file.endsWith(SLOW))
}

/** The files that `npm run test:slow` runs, below `root`, sorted. */
export function slowFiles(root: string): string[] {
  return testFiles(root).filter((file) => file.endsWith(SLOW) || DEEPER.test(file))
}

function testFiles(root: string): string[] {
  return globSync(`${folders}/**/*.test.ts`, { cwd: root, exclude: ['**/node_modules'] }).sort()
}

/** Groups of neighboring files, with at most `size` files each. */
export function groups(files: readonly string[], size: number): string[][] {
  return Array.from({ length: Math.ceil(files.length / size) }, (_, i) => files.slice(i * size, (i + 1) * size))
}

/** Writes a module for each group, which loads its files; returns the modules, and the folder that contains only them. */
export function writeGroups(
  root: string,
  files: readonly string[],
  { whole, parts }: Sizes,
): { folder: string; modules: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-tests-'))
  // Those that take longest run first, so that the others fill up the time until all are done.
  const [gateways, others] = [files.filter(isOfGateways), files.filter((file) => !isOfGateways(file))]
  const modules = [...groups(gateways, whole), ...groups(others, parts)].map((group, i) => {
    const module = join(folder, `${String(i + 1).padStart(2, '0')}.test.mjs`)
    writeFileSync(module, group.map((file) => `import '${pathToFileURL(join(root, file)).href}'\n`).join(''))
    return module
  })
  return { folder, modules }
}

/** Whether the file tests whole gateways. */
function isOfGateways(file: string): boolean {
  return file.startsWith('test/')
}
