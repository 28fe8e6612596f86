import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isAlias, parseDocument, visit } from 'yaml'
import { ConfigError } from './problems.ts'
import { ReadFiles } from './read-files.ts'
import { readYaml } from './yaml.ts'

/** What is said of a text, or nothing. */
function problemsOf(text: string): readonly string[] {
  try {
    return readYaml(text, 'sallyport.yaml', {}, new ReadFiles()).problems.map(({ message }) => message)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ message }) => message)
  }
}

const dangling = (text: string): boolean => problemsOf(text).some((message) => message.includes('no anchor'))

for (const text of [
  '*a',
  'a: *b',
  '- *a',
  '[*a]',
  '[ 1,*a ]',
  '{ "a":*b }',
  'a:\n  *b',
  '!!str *a',
  '? *a\n: 1',
  '<<: *a',
])
  test(`an alias without an anchor in ${JSON.stringify(text)} is reported`, () => {
    assert.ok(dangling(text))
  })

for (const text of ['a: /a/*', 'a: "*b"', '["/*", "*"]', "a: '*.example.com'", 'a: b*c'])
  test(`${JSON.stringify(text)} contains no alias`, () => {
    assert.deepEqual(problemsOf(text), [])
  })

test('property: every dangling alias is reported', () => {
  const part = fc.constantFrom(
    '*a',
    '*',
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"a"',
    '? ',
    '!t ',
    '#',
    '<<',
    '  ',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 10 }), (parts) => {
      const text = parts.join('')
      const document = parseDocument(text, { prettyErrors: false, stringKeys: true, merge: true })
      if (document.errors.length > 0) return
      let aliases = 0
      visit(document, (_, node) => void (isAlias(node) && aliases++))
      if (aliases > 0) assert.ok(dangling(text), text)
    }),
    { numRuns: 3000 },
  )
})
