/** Compiles and runs the TypeScript in documents. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { cleanUp } from './support/cleanup.ts'
import { codeBlocks } from './support/markdown.ts'
import { runHere } from './support/run-here.ts'
import { startService } from './support/service.ts'

const root = join(import.meta.dirname, '..')
const execute = promisify(execFile)
const blocks = codeBlocks()

test(
  'documented TypeScript compiles and runs: configurations pass check, and tests pass',
  { timeout: 600_000 },
  async (t) => {
    const folder = await writeShown(t)
    const files = shownFiles()
    const project = {
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { noUnusedLocals: false, types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
      include: files,
    }
    await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(project))
    await execute(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { cwd: folder })
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    for (const file of files) {
      if (file.endsWith('.test.ts')) await execute(process.execPath, ['--test', file], { cwd: folder, env })
      else if (file.startsWith('configuration'))
        assert.equal((await runHere(['check', join(folder, file)])).code, 0, file)
      else await execute(process.execPath, [file], { cwd: folder, env })
    }
  },
)

/** The blocks of one file appear in it, in the order of the document. CONTRIBUTING.md has its own test. */
function shownBlocks(): { readonly file: string; readonly code: string }[] {
  return blocks
    .filter(({ language, notRun, document }) => language === 'ts' && notRun === null && document !== 'CONTRIBUTING.md')
    .map(({ document, line, file, code }) => ({ file: file ?? `${basename(document, '.md')}-${line}.ts`, code }))
}

function shownFiles(): string[] {
  return [...new Set(shownBlocks().map(({ file }) => file))]
}

/** A folder in which the package is this checkout, and the service of the examples a running one. */
async function writeShown(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sallyport-'))
  cleanUp(t, () => rm(folder, { recursive: true }))
  const installed = join(folder, 'node_modules/sallyport')
  await mkdir(installed, { recursive: true })
  await symlink(join(root, 'src'), join(installed, 'src'))
  const exported = { '.': './src/gateway.ts', './testing': './src/testing.ts' }
  await writeFile(
    join(installed, 'package.json'),
    JSON.stringify({ name: 'sallyport', type: 'module', exports: exported }),
  )
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
  const service = await startService(t)
  for (const { file, code } of shownBlocks())
    await appendFile(join(folder, file), `${code.replaceAll('127.0.0.1:8001', service.address)}\n\n`)
  return folder
}
