import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isWholeSubstitution, substitute } from './substitute.ts'

const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((name) => !(name in {}))

test('a variable is replaced by its value, whatever that holds, and the value is not looked at again', () => {
  fc.assert(
    fc.property(names, fc.string({ minLength: 1 }), (name, value) => {
      assert.deepEqual(substitute(`<\${${name}}>`, { [name]: value }), { text: `<${value}>`, problems: [] })
    }),
  )
  assert.equal(substitute('${A}', { A: '${B}$$', B: 'no' }).text, '${B}$$')
})

test('the default stands in for a variable that is not set or empty, and for no other', () => {
  const defaults = fc.string().filter((text) => !/[}]|\$\{/.test(text))
  fc.assert(
    fc.property(names, defaults, fc.string({ minLength: 1 }), (name, fallback, value) => {
      const text = `\${${name}:-${fallback}}`
      assert.equal(substitute(text, {}).text, fallback)
      assert.equal(substitute(text, { [name]: '' }).text, fallback)
      assert.equal(substitute(text, { [name]: value }).text, value)
    }),
  )
})

test('any text survives when its dollars are doubled', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', 'A') }), (text) => {
      assert.deepEqual(substitute(text.replaceAll('$', '$$$$'), {}), { text, problems: [] })
    }),
  )
})

test('a text without "${" and "$$" stays as it is', () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !/\$[{$]/.test(text)),
      (text) => {
        assert.deepEqual(substitute(text, {}), { text, problems: [] })
      },
    ),
  )
})

test('several variables in one text are all replaced', () => {
  assert.equal(substitute('http://${HOST}:${PORT:-80}/$$', { HOST: 'a' }).text, 'http://a:80/$')
})

test('a variable that is neither set nor has a default is a problem that names it', () => {
  assert.match(substitute('${TOKEN}', {}).problems.join(), /variable TOKEN is not set/)
  assert.match(substitute('${TOKEN}', { TOKEN: '' }).problems.join(), /variable TOKEN is not set/)
  assert.deepEqual(substitute('${TOKEN:-}', {}), { text: '', problems: [] })
})

test('names of inherited properties are not variables', () => {
  assert.equal(substitute('${constructor}', {}).problems.length, 1)
})

test('what is not a whole and plain substitution is a problem', () => {
  for (const text of ['${', '${A', 'a${A:-b', '${}', '${1A}', '${A B}', '${A-b}', '${A:-${B}}'])
    assert.equal(substitute(text, { A: 'a', B: 'b' }).problems.length, 1, text)
})

test('only a single substitution with nothing around it is a whole one', () => {
  assert.ok(isWholeSubstitution('${A}'))
  assert.ok(isWholeSubstitution('${A:-1}'))
  for (const text of ['1${A}', '${A} ', '${A}${B}', '$${A}', 'A', '']) assert.ok(!isWholeSubstitution(text), text)
})
