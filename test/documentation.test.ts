import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import test from 'node:test'
import { errorTable } from '../src/core/errors.ts'
import { policies } from '../src/policies/index.ts'
import { layers } from '../scripts/layers.ts'

const root = join(import.meta.dirname, '..')
const files = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md', 'bench/*.md'], { cwd: root })

for (const file of files) {
  test(`every link of ${file} leads to an existing file and section`, () => {
    const text = readFileSync(join(root, file), 'utf8').replaceAll(/^(`{3,})[^]*?^\1$/gm, '')
    const links = [...text.matchAll(/\]\(([^()\s]+(?:\([^()]*\))?[^()\s]*)\)/g)].map(([, link = '']) => link)
    for (const link of links.filter((each) => !/^[a-z]+:/.test(each))) {
      const [path = '', section] = link.split('#')
      const target = path === '' ? join(root, file) : join(root, dirname(file), path)
      const matches = globSync(relative(root, target), { cwd: root })
      assert.equal(matches.length, 1, `${link}: there is no such file`)
      if (section === undefined) continue
      assert.ok(anchors(readFileSync(target, 'utf8')).includes(section), `${link}: there is no such section`)
    }
  })
}

test('the troubleshooting page lists every error that clients or the access log can show', () => {
  const text = readFileSync(join(root, 'docs/troubleshooting.md'), 'utf8')
  const listed = [...text.matchAll(/^\| (\d{3}) +\| `([a-z-]+)` +\| ([a-z]+) +\|/gm)].map(([, ...cells]) =>
    cells.join(' '),
  )
  // Some are only for operators.
  const { conflict: _, 'precondition-failed': _failed, 'precondition-required': _required, ...known } = errorTable
  const expected = Object.entries(known).map(([code, { status, fault }]) => `${status} ${code} ${fault}`)
  assert.deepEqual(listed.toSorted(), expected.toSorted())
})

test('the log messages on the operations page occur in the source', () => {
  const [, table = ''] =
    /^\| message .*\n([^]*?)\n\n/m.exec(readFileSync(join(root, 'docs/operations.md'), 'utf8')) ?? []
  const first = table
    .split('\n')
    .slice(1)
    .map((row) => row.split(' | ')[0] ?? '')
  const messages = first.flatMap((cell) =>
    [...cell.matchAll(/`([^`…]+?)[;:,]? ?…?`/g)].map(([, message = '']) => message),
  )
  const source = globSync('src/**/*.ts', { cwd: root, exclude: ['**/*.test.ts'] })
    .map((file) => readFileSync(join(root, file), 'utf8'))
    .join('\n')
  assert.ok(messages.length > 20)
  assert.deepEqual(
    messages.filter((message) => !source.includes(message)),
    [],
  )
})

for (const { name, options } of policies) {
  test(`the guide to the policy ${name} names all of its options`, () => {
    const overview = readFileSync(join(root, 'docs/policies.md'), 'utf8')
    const [, guide] = new RegExp(`^\\| \\[${name}\\]\\(([^)#]*)`, 'm').exec(overview) ?? []
    assert.ok(guide !== undefined, 'it has no row in policies.md')
    const text = guide === '' ? overview : readFileSync(join(root, 'docs', guide), 'utf8')
    // A map is described by the keys of its values.
    const { shape } = 'valueType' in options ? options.valueType : options
    for (const option of Object.keys(shape)) assert.match(text, new RegExp(`\`${option}\\b|\\b${option}:`), option)
  })
}

test('every file and folder that the architecture page names exists', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  const named = new Set(Array.from(text.matchAll(/`([\w./-]+(?:\.ts|\/))`/g), ([, path = '']) => path))
  assert.ok(named.size > 60)
  for (const path of named) {
    const places = path.indexOf('/') === -1 ? [`src/**/${path}`] : [path, `src/${path}`, `src/*/${path}`]
    assert.ok(globSync(places, { cwd: root }).length > 0, `${path}: there is no such file`)
  }
})

test('every class and type that the architecture page names exists', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  const named = new Set(
    Array.from(text.matchAll(/`([A-Z][a-z]+[A-Z][A-Za-z]+|[A-Z][a-z]+)`/g), ([, name = '']) => name),
  )
  const known = globSync('src/**/*.ts', { cwd: root }).map((file) => readFileSync(join(root, file), 'utf8'))
  // Of the language and of Node.js, or header fields.
  for (const name of ['Allow', 'Map', 'SharedArrayBuffer']) named.delete(name)
  assert.ok(named.size > 20)
  for (const name of named) {
    const declaration = new RegExp(String.raw`^export (?:const|class|interface|type) ${name}\b`, 'm')
    assert.ok(
      known.some((source) => declaration.test(source)),
      `${name}: there is no such class or type`,
    )
  }
})

test('the architecture page lists all policies in order', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  const [, rows = ''] = /^\| phase +\| policies .*\n.*\n([^]*?)\n\n/m.exec(text) ?? []
  const reported = rows
    .split('\n')
    .flatMap((row) => Array.from((row.split('|')[2] ?? '').matchAll(/`([^`]+)`/g), ([, name]) => name))
  assert.deepEqual(
    reported,
    policies.map(({ name }) => name),
  )
})

test('the architecture page lists the allowed imports of scripts/layers.ts', () => {
  const text = readFileSync(join(root, 'docs/architecture.md'), 'utf8')
  const [, rows = ''] = /^\| part of `src\/`.*\n.*\n([^]*?)\n\n/m.exec(text) ?? []
  const reported = Array.from(rows.matchAll(/^\| `([^`]+)` +\|.*\| ([^|]*?) +\|$/gm), ([, part, imports]) => [
    part,
    imports,
  ])
  const expected = layers.map(([part, imports]) => {
    const parts = imports.map((each) => (each.includes('/') ? `(${each.split('/')[0]})` : each))
    return [part.endsWith('.ts') ? part : `${part}/`, [...new Set(parts)].join(', ') || 'nothing']
  })
  assert.deepEqual(reported, expected)
})

/** The anchors of the headings of a document, as GitHub generates them. */
function anchors(markdown: string): string[] {
  const headings = [...markdown.replaceAll(/^(`{3,})[^]*?^\1$/gm, '').matchAll(/^#+ (.+)$/gm)]
  return headings.map(([, heading = '']) =>
    heading
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
