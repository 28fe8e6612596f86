import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { readPlainYaml } from './plain-yaml.ts'
import { ReadFiles } from './read-files.ts'
import type { Environment } from './substitute.ts'
import { readYaml } from './yaml.ts'

const environment: Environment = { V: 'a: b' }

const plain = (text: string) => readPlainYaml(text, 'a.yaml', environment, new ReadFiles())

/** What is read at once is what the parser reads that knows places, which finds nothing wrong. */
function assertTheSame(text: string): void {
  const read = plain(text)
  if (read === null) return
  const { value, problems } = readYaml(text, 'a.yaml', environment)
  assert.deepEqual(problems, [])
  assert.deepEqual(read.value, value)
  // The order of keys, too.
  assert.equal(JSON.stringify(read.value), JSON.stringify(value))
}

for (const [text, value] of [
  ['a: 1\nb: [x, "y", z w]\n', { a: 1, b: ['x', 'y', 'z w'] }],
  ['- { a: true, b: null, c: ~, d: 1.5 }\n-\n', [{ a: true, b: null, c: null, d: 1.5 }, null]],
  ['a: 0x1f\nb: 0o17\nc: 017\nd: yes\ne: 1e3\n', { a: 31, b: 15, c: 17, d: 'yes', e: 1000 }],
  ['path: /api/*\nquoted: "/*" # a comment\n', { path: '/api/*', quoted: '/*' }],
  ['text: |\n  one\n  two\nfolded: >-\n  one\n  two\n', { text: 'one\ntwo\n', folded: 'one two' }],
  ['url: http://127.0.0.1:80\nlist:\n- a\n- b\n', { url: 'http://127.0.0.1:80', list: ['a', 'b'] }],
  ['a:\n- - b: 1\n    "c d": 2\n- e: # f\n    g\n', { a: [[{ b: 1, 'c d': 2 }], { e: 'g' }] }],
  ['a: R&D, *b* and c ? !d\ne: |\n  *f\n', { a: 'R&D, *b* and c ? !d', e: '*f\n' }],
  ['a: ${V}\nb: "$$ ${W:-w}"\nc: "\\x24{V}"\n', { a: 'a: b', b: '$ w', c: 'a: b' }],
] as const)
  test(`${JSON.stringify(text)} is read by the fast parser`, () => {
    assert.deepEqual(plain(text)?.value, value)
    assertTheSame(text)
  })

for (const text of [
  'a: &a 1\nb: *a',
  '- *a',
  'a: !!str 1',
  'a: { <<: { b: 1 } }',
  '? a\n: 1',
  '1: a',
  'null: a',
  '0x1f: a',
  '__proto__: a',
  '"\\x5f_proto__": a',
  '%YAML 1.1\n---\na: yes',
  'a: 1\n---\nb: 2',
  'a: 1\na: 2',
  'a: 1\r\nb: 2\r\n',
  'a:\t1',
  '\ufeffa: 1',
  'a: |2\n    b',
  'a: |+\n  b\n\n    ',
  'a: "b\\\n\n  c"',
  'a: 1e400',
  `a: ${'1'.repeat(400)}`,
  `${'a'.repeat(1001)}: 1`,
  'a: [b',
  "a:\n- 'x' b: 1",
  'a:\n- {}b: 1',
  '{ a: b }: c',
  'a: ${W}',
  'a: ${file:nowhere}',
  '',
  '# nothing',
])
  test(`${JSON.stringify(text.slice(0, 40))} is left to the full parser`, () => {
    assert.equal(plain(text), null)
  })

test('the original text of a value with a variable is kept', () => {
  const source = plain('a: ["${V}", b]\nc: d')?.source
  assert.equal(source?.written(['a', 0]), '${V}')
  assert.equal(source?.written(['a', 1]), undefined)
  assert.equal(source?.written(['c']), undefined)
  assert.equal(source?.written(['e', 'f']), undefined)
})

const root = new URL('../../', import.meta.url)
const examples = ['sallyport.yaml', ...readdirSync(new URL('examples/tls', root)).map((name) => `examples/tls/${name}`)]
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(new URL(name, root), 'utf8'))

test('the examples are read by the fast parser', () => {
  assert.ok(examples.length > 1)
  // Most of their variables have no default.
  const set = new Proxy({}, { getOwnPropertyDescriptor: () => ({ configurable: true }), get: () => 'set' })
  for (const text of examples) {
    const read = readPlainYaml(text, 'a.yaml', set, new ReadFiles())
    assert.deepEqual(read?.value, readYaml(text, 'a.yaml', set).value)
  }
})

/** Between bars. */
const PARTS = [
  'a|b|a: |b: |: |:|- |-| |  |\n|\n  |\n- |\n  - |\n    |#| # c|"a b"|\'it\'\'s\'|"\\n\\x41"|"\\\n  x"|"|\'|\\|{|}|[|]|,|{ a: b }|[1, 2]|${V}',
  '>|>-|>+2|a: >-\n  t\n  u\n|?|@|`|%|~|&a|*a|<<|!|=|---|null|true|FALSE|yes|0x1f|0o17|010|1e3|1e400|.5|1.|.inf|-.NaN|-0|+1|1_0',
  '2001-01-01|1:30|::1|http://a:1/*|\t|\r|\r\n|\u0085|\u2028|\ufeff|\u00a0|é|😀',
]
const part = fc.constantFrom('|', '|-', '|+', 'a: |\n  t\n', ...PARTS.flatMap((parts) => parts.split('|')))

test('property: the fast parser agrees with the full one', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 14 }), (parts) => assertTheSame(parts.join(''))),
    { numRuns: 5_000 },
  )
})

test('property: it also agrees on edited examples', () => {
  const edited = fc.tuple(fc.constantFrom(...examples), fc.nat(), fc.array(fc.tuple(fc.nat(600), fc.nat(4), part)))
  fc.assert(
    fc.property(edited, ([example, from, edits]) => {
      const lines = example.split('\n')
      let text = lines
        .slice(from % lines.length)
        .slice(0, 20)
        .join('\n')
      for (const [at, length, other] of edits) text = text.slice(0, at) + other + text.slice(at + length)
      assertTheSame(text)
    }),
    { numRuns: 500 },
  )
})
