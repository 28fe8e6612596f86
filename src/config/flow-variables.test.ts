import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { findUnquotedVariables, parseYaml } from './flow-variables.ts'

const variable = fc.constantFrom(
  '${A}',
  '${HOST:-127.0.0.1}',
  '${B:-a b}',
  '${C:-}',
  '${file:/run/a-b.c}',
  '${file:../a:-b}',
)
const plain = fc.constantFrom('a', 'http://', ':1', '-', '.')
const scalar = fc
  .tuple(fc.constantFrom('a', 'http://h', ''), fc.array(fc.oneof(variable, plain), { minLength: 1, maxLength: 3 }))
  .map(([first, parts]) => first + parts.join(''))
  .filter((text) => /^[^:.-]/.test(text) && !text.endsWith(':') && !/:(?:\$|$)/.test(text))

test('an unquoted variable in a flow list is found once, at its position', () => {
  fc.assert(
    fc.property(fc.array(scalar, { maxLength: 4 }), fc.constantFrom(', ', ',', ',\n  '), (items, comma) => {
      const text = `a: [ ${items.join(comma)} ]\nb: { c: ${items[0] ?? 1}, d: 1 }\n`
      const { variables, errors } = findUnquotedVariables(text, parseYaml(text).document.errors)
      const all = [...items, ...items.slice(0, 1)].filter((item) => item.includes('$'))
      assert.deepEqual(
        variables.map((each) => each.text),
        all,
      )
      for (const { offset, text: found } of variables) assert.ok(text.startsWith(found, offset))
      assert.deepEqual(errors, [])
    }),
  )
})

test('quoted variables and those in block style are accepted', () => {
  const text = 'a: ["${A}", \'${B}\']\nb: ${C}\nc:\n  - ${D:-1}\n  - http://${E}:1\n'
  assert.deepEqual(findUnquotedVariables(text, parseYaml(text).document.errors), { variables: [], errors: [] })
})

test('an unclosed variable is found too, and other errors are kept', () => {
  for (const text of ['a: [${A, b]', 'a: {b: ${', 'a: [${A}\nb: 1', 'a: {b: ${A} c}']) {
    const { variables } = findUnquotedVariables(text, parseYaml(text).document.errors)
    assert.equal(variables.length, 1, text)
  }
})
