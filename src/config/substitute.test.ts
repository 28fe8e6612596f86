import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { FileError } from '../core/read-text.ts'
import { type Environment, isWholeSubstitution, substitute as substituteFrom } from './substitute.ts'

/** Files by their path; an Error is thrown. */
type Files = Readonly<Record<string, string | Error>>

function substitute(text: string, environment: Environment, files: Files = {}) {
  return substituteFrom(text, environment, (path) => {
    const file = Object.hasOwn(files, path) ? files[path] : undefined
    if (typeof file === 'string') return file
    throw file ?? new FileError('no such file')
  })
}

const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/).filter((name) => !(name in {}))

test('a variable is replaced by its value, which is not expanded again', () => {
  fc.assert(
    fc.property(names, fc.string({ minLength: 1 }), (name, value) => {
      assert.deepEqual(substitute(`<\${${name}}>`, { [name]: value }), { text: `<${value}>`, problems: [] })
    }),
  )
  assert.equal(substitute('${A}', { A: '${B}$$', B: 'no' }).text, '${B}$$')
})

test('the default is used if and only if the variable is unset or empty', () => {
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

test('doubled dollars are literal', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', 'A') }), (text) => {
      assert.deepEqual(substitute(text.replaceAll('$', '$$$$'), {}), { text, problems: [] })
    }),
  )
})

test('a text without "${" and "$$" stays unchanged', () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !/\$[{$]/.test(text)),
      (text) => {
        assert.deepEqual(substitute(text, {}), { text, problems: [] })
      },
    ),
  )
})

test('several variables in one text are replaced', () => {
  assert.equal(substitute('http://${HOST}:${PORT:-80}/$$', { HOST: 'a' }).text, 'http://a:80/$')
})

test('a variable without value and default is a problem that names it', () => {
  assert.match(substitute('${TOKEN}', {}).problems.join(), /variable TOKEN is not set/)
  assert.match(substitute('${TOKEN}', { TOKEN: '' }).problems.join(), /variable TOKEN is not set/)
  assert.deepEqual(substitute('${TOKEN:-}', {}), { text: '', problems: [] })
})

test('a file is replaced by its content without the final newline, which is not expanded again', () => {
  const whole = (text: string): string =>
    substitute('<${file:/run/secrets/jwt}>', {}, { '/run/secrets/jwt': text }).text
  assert.equal(whole('a'), '<a>')
  assert.equal(whole('a\n'), '<a>')
  assert.equal(whole('a\r\n'), '<a>')
  assert.equal(whole('a\n\n'), '<a\n>')
  assert.equal(whole(' a\nb '), '< a\nb >')
  assert.equal(whole('${A}$$'), '<${A}$$>')
  const several = substitute('${file:user}:${file:pass word}@${HOST}', { HOST: 'h' }, { user: 'u', 'pass word': 'p' })
  assert.deepEqual(several, { text: 'u:p@h', problems: [] })
})

test('a missing or empty file has its default or is a problem; other failures are always problems', () => {
  assert.deepEqual(substitute('${file:a}', {}).problems, ['file a: no such file'])
  assert.deepEqual(substitute('${file:a}', {}, { a: '\n' }).problems, ['file a: is empty'])
  assert.deepEqual(substitute('${file:a:-b:-c}', {}), { text: 'b:-c', problems: [] })
  assert.deepEqual(substitute('${file:a:-}', {}, { a: '' }), { text: '', problems: [] })
  assert.equal(substitute('${file:a:-b}', {}, { a: 'c' }).text, 'c')
  const folder = { a: new FileError('is a folder; expected a file in it') }
  for (const text of ['${file:a}', '${file:a:-b}'])
    assert.deepEqual(substitute(text, {}, folder).problems, ['file a: is a folder; expected a file in it'])
})

test('inherited properties are not variables', () => {
  assert.equal(substitute('${constructor}', {}).problems.length, 1)
})

test('malformed substitutions are problems', () => {
  for (const text of [
    '${',
    '${A',
    'a${A:-b',
    '${}',
    '${1A}',
    '${A B}',
    '${A-b}',
    '${A:-${B}}',
    '${file:}',
    '${file:${A}/b}',
    '${file:a:-${B}}',
  ])
    assert.equal(substitute(text, { A: 'a', B: 'b' }).problems.length, 1, text)
})

test('only a text that is exactly one substitution is a whole one', () => {
  assert.ok(isWholeSubstitution('${A}'))
  assert.ok(isWholeSubstitution('${A:-1}'))
  for (const text of ['1${A}', '${A} ', '${A}${B}', '$${A}', 'A', '']) assert.ok(!isWholeSubstitution(text), text)
})
