/** Code blocks in documents: each is run by some test or states why not; those that need no gateway are run here. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { allOf, factsOf } from '../src/commands/command-tree.ts'
import { wholeProgram } from '../src/commands/program.ts'
import { hasCommands, linesOf } from './support/documented-commands.ts'
import { type CodeBlock, codeBlocks } from './support/markdown.ts'

const blocks = codeBlocks()

/** The test that runs a language, or what it is. */
const LANGUAGES: Readonly<Record<string, string>> = {
  yaml: 'documented-configuration.test.ts',
  sh: 'documented-commands.slow.test.ts',
  console: 'documented-commands.slow.test.ts',
  ts: 'documented-typescript.slow.test.ts',
  json: 'this test',
  diff: 'contributing.slow.test.ts',
  http: 'what goes over a connection',
  text: 'a picture',
  mermaid: 'a picture',
  promql: 'dashboards.test.ts has the queries that are used',
  proto: 'what a service defines',
}

test('every code block has a language that a test runs, or a reason not to', () => {
  const stray = blocks.filter(({ language, notRun }) => {
    return language !== null && notRun === null && !Object.hasOwn(LANGUAGES, language)
  })
  assert.deepEqual(stray.map(placeOf), [])
})

test('configuration and TypeScript are in fenced blocks, so that tests find them', () => {
  const stray = blocks.filter(({ language, notRun, code }) => {
    return language === null && notRun === null && /^(?:import .* from |[a-z]\w*: \{)/m.test(code) && !hasCommands(code)
  })
  assert.deepEqual(stray.map(placeOf), [])
})

test('every documented command exists with its options', async () => {
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
  test(`the JSON at ${placeOf(block)} is valid`, () => {
    assert.doesNotThrow(() => void JSON.parse(block.code))
  })

function placeOf({ document, line, language }: CodeBlock): string {
  return `${document}:${line} (${language ?? 'indented'})`
}
