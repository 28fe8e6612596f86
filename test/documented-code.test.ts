/** What documents show of code: that all of it is run by some test or says why it is not, and what needs no gateway. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { appendFile, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { allOf, factsOf } from '../src/commands/command-tree.ts'
import { wholeProgram } from '../src/commands/program.ts'
import { cleanUp } from './support/cleanup.ts'
import { run } from './support/command.ts'
import { hasCommands, linesOf } from './support/documented-commands.ts'
import { type CodeBlock, codeBlocks } from './support/markdown.ts'
import { startService } from './support/service.ts'

const root = join(import.meta.dirname, '..')
const execute = promisify(execFile)
const blocks = codeBlocks()

/** Who runs a language, or what it is. */
const LANGUAGES: Readonly<Record<string, string>> = {
  yaml: 'documented-configuration.test.ts',
  sh: 'documented-commands.test.ts',
  console: 'documented-commands.test.ts',
  ts: 'this test',
  json: 'this test',
  diff: 'contributing.test.ts',
  http: 'what goes over a connection',
  text: 'a picture',
  mermaid: 'a picture',
  promql: 'dashboards.test.ts has the queries that are used',
  proto: 'what a service defines',
}

test('every block of code is in a language that some test runs, or says why it is not run', () => {
  const stray = blocks.filter(({ language, notRun }) => {
    return language !== null && notRun === null && !Object.hasOwn(LANGUAGES, language)
  })
  assert.deepEqual(stray.map(placeOf), [])
})

test('what is only indented is no configuration and no TypeScript: those have a fence, and so a test', () => {
  const stray = blocks.filter(({ language, notRun, code }) => {
    return language === null && notRun === null && /^(?:import .* from |[a-z]\w*: \{)/m.test(code) && !hasCommands(code)
  })
  assert.deepEqual(stray.map(placeOf), [])
})

test('every command that is shown exists, with its options', async () => {
  const all = allOf(factsOf(await wholeProgram()))
  const lines = blocks.flatMap((block) =>
    linesOf(block.code).map((line) => ({ line, where: `${block.document}:${block.line}` })),
  )
  const shown = lines.flatMap(({ line, where }) =>
    Array.from(line.matchAll(/(?<![\w/-])sallyport ((?:[a-z-]+ ?)[^|&;#`]*)/g), ([, words = '']) => ({ words, where })),
  )
  assert.ok(shown.length > 30)
  for (const { words, where } of shown) {
    const [first = '', second = ''] = words.trim().split(/\s+/)
    const named =
      all.find(({ path }) => path.join(' ') === `${first} ${second}`) ??
      all.find(({ path }) => path.join(' ') === first)
    assert.ok(named !== undefined, `${where}: there is no command "sallyport ${words}"`)
    const known = new Set(['--help', ...named.options.map(({ long }) => long)])
    for (const [option] of words.matchAll(/(?<=\s)--[a-z][a-z-]*/g))
      assert.ok(known.has(option), `${where}: ${named.path.join(' ')} has no ${option}`)
  }
})

for (const block of blocks.filter(({ language, notRun }) => language === 'json' && notRun === null))
  test(`the JSON at ${placeOf(block)} is JSON`, () => {
    assert.doesNotThrow(() => void JSON.parse(block.code))
  })

test(
  'TypeScript that is shown compiles, and runs: configurations are checked, tests pass',
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
      else if (file.startsWith('configuration')) assert.equal((await run(['check', join(folder, file)])).code, 0, file)
      else await execute(process.execPath, [file], { cwd: folder, env })
    }
  },
)

/** What is shown of one file stands in it, in the order of the document. CONTRIBUTING.md has a test of its own. */
function shownBlocks(): { readonly file: string; readonly code: string }[] {
  return blocks
    .filter(({ language, notRun, document }) => language === 'ts' && notRun === null && document !== 'CONTRIBUTING.md')
    .map(({ document, line, file, code }) => ({ file: file ?? `${basename(document, '.md')}-${line}.ts`, code }))
}

function shownFiles(): string[] {
  return [...new Set(shownBlocks().map(({ file }) => file))]
}

/** A folder in which the package is this checkout, and the service of the examples one that answers. */
async function writeShown(t: TestContext): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-'))
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

function placeOf({ document, line, language }: CodeBlock): string {
  return `${document}:${line} (${language ?? 'indented'})`
}
