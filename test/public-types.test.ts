/** The declarations of the package. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { cleanUp } from './support/cleanup.ts'
import { readPublicTypes } from './support/public-types.ts'

const root = join(import.meta.dirname, '..')
const tsc = join(root, 'node_modules/typescript/bin/tsc')

test('every type in an exported signature is exported, and every export has a docstring', async (t) => {
  const dist = await mkdtemp(join(tmpdir(), 'sallyport-types-'))
  cleanUp(t, () => rm(dist, { recursive: true }))
  const build = [tsc, '-p', join(root, 'tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', dist]
  await promisify(execFile)(process.execPath, build)
  const entryPoints = ['gateway.d.ts', 'testing.d.ts'].map((name) => join(dist, name))
  const tsconfig = join(dist, 'tsconfig.json')
  const compilerOptions = { strict: true, module: 'nodenext', target: 'es2024', noEmit: true, types: [] }
  await writeFile(tsconfig, JSON.stringify({ compilerOptions, files: entryPoints }))
  const isOfPackage = (path: string): boolean => path.startsWith(dist)
  assert.deepEqual(readPublicTypes(tsconfig, entryPoints, isOfPackage), { missing: [], undocumented: [] })
})
