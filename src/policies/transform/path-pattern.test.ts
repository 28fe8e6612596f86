import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { compilePathPattern, PathPatternError } from './path-pattern.ts'

const taken: readonly (readonly [pattern: string, path: string, replacement: string, result: string])[] = [
  ['/old/([^/]+)/(.*)', '/old/7/a/b', '/new/$1/$2', '/new/7/a/b'],
  ['^/old/(\\d+)$', '/old/42', '/new/$1', '/new/42'],
  ['/(?:v1|w2)/users', '/w2/users', '/users', '/users'],
  ['/a(?:/([^/]+))?', '/a', '/b$1', '/b'],
  ['/(?:[^/]+/)*', '/a/b/', '/x', '/x'],
  ['/files/(?<name>[a-z]+)\\.json', '/files/a.json', '/$<name>', '/a'],
  ['/[\\]x]/\\$', '/]/$', '/ok', '/ok'],
  ['/a(?:[]|/b)', '/a/b', '/ok', '/ok'],
]

for (const [pattern, path, replacement, result] of taken)
  test(`${pattern} turns ${path} into ${result}`, () => {
    assert.equal(path.replace(compilePathPattern(pattern), replacement), result)
  })

test('the whole path has to match', () => {
  assert.ok(!compilePathPattern('/a').test('/a/b'))
  assert.ok(!compilePathPattern('a|/b').test('/bc'))
})

for (const pattern of [
  '(a+)+',
  '(a*)*b',
  '(a|a)*b',
  '(a|ab)(c|bcd)',
  '/(.+)/edit',
  '/.*.*',
  '/a*a',
  '(a?)*',
  '(?:a|b|)(?:a)',
  '(|)',
  '/[^x]+[^y]+',
  '(x+x+)+y',
])
  test(`${pattern} is rejected as ambiguous`, () => {
    assert.throws(() => compilePathPattern(pattern), { name: 'PathPatternError', message: /ambiguous/ })
  })

for (const pattern of ['(', '[', 'a{2,3}', '(a)\\1', '(?=a)a', '(?<!a)b', 'a\\b', 'a^b', 'a$b', 'a*?', '\\u0061', '*a'])
  test(`${pattern} is rejected`, () => {
    assert.throws(() => compilePathPattern(pattern), PathPatternError)
  })

test('property: an accepted pattern is fast even on the longest path', () => {
  const atom = fc.constantFrom('a', 'b', '/', '.', '[^/]', '[ab]', '\\d', '(a)', '(?:a|b)', '(a*b)', '(b|/a*)')
  const patterns = fc
    .array(fc.tuple(atom, fc.constantFrom('', '*', '+', '?')), { minLength: 1, maxLength: 6 })
    .map((parts) => parts.map(([part, sign]) => part + sign).join(''))
  let accepted = 0
  fc.assert(
    fc.property(
      fc.oneof(
        patterns,
        patterns.map((part) => `(?:${part})*`),
      ),
      fc.constantFrom('a', 'ab', '/a', 'b'),
      (pattern, unit) => {
        let expression: RegExp
        try {
          expression = compilePathPattern(pattern)
        } catch (error) {
          assert.ok(error instanceof PathPatternError)
          return
        }
        accepted++
        const subject = `${unit.repeat(8192 / unit.length)}!`
        const before = process.threadCpuUsage()
        expression.test(subject)
        const { user, system } = process.threadCpuUsage(before)
        // Of the processor, in microseconds: what other processes take of it meanwhile is not counted.
        assert.ok(user + system < 250_000, pattern)
      },
    ),
    { numRuns: 2000 },
  )
  assert.ok(accepted > 100)
})
