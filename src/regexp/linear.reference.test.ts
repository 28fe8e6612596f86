import assert from 'node:assert/strict'
import test from 'node:test'
import { Script } from 'node:vm'
import * as fc from 'fast-check'
import { cases } from '../../test/support/cases.ts'
import { compileLinear, compileWhole, mayBegin } from './linear.ts'
import { UnusablePattern } from './unusable-pattern.ts'

const atom = fc.constantFrom(
  'a',
  'b',
  '.',
  '[ab]',
  '[^a]',
  '\\d',
  '\\S',
  '\\u{1F600}',
  '\\ud83d\\ude00',
  '\\p{L}',
  'é',
  '\\.',
  '-',
)
const { pattern } = fc.letrec<{ pattern: string; sequence: string; piece: string }>((tie) => ({
  pattern: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|')),
  sequence: fc.array(tie('piece'), { maxLength: 3 }).map((parts) => parts.join('')),
  piece: fc.oneof(
    { maxDepth: 2 },
    fc
      .tuple(atom, fc.constantFrom('', '', '*', '+', '?', '{2}', '{1,}', '{0,2}', '*?', '{1,2}?'))
      .map(([single, count]) => single + count),
    fc.constantFrom('^', '$', '\\b', '\\B'),
    fc
      .tuple(fc.constantFrom('(', '(?:'), tie('pattern'), fc.constantFrom('', '*', '+', '?'))
      .map(([open, inner, count]) => `${open}${inner})${count}`),
  ),
}))
const text = fc.string({ unit: fc.constantFrom('a', 'b', '1', '.', '-', ' ', '\n', 'é', '😀', '\ud83d') })

/** Tries every place itself: V8 14 misses "😀." with /[^a]{2}$/u, as it looks only at the last two code units. */
const search = new Script(`
  const expression = new RegExp(source, 'uy')
  let at = 0
  let found = false
  for (const character of ['', ...each]) {
    at += character.length
    expression.lastIndex = at
    found ||= expression.test(each)
  }
  found
`)

/** Whether the language finds the pattern; null where that takes it time exponential in the text, as some patterns do. */
function occurs(source: string, each: string): boolean | null {
  try {
    return Boolean(search.runInNewContext({ source, each }, { timeout: 1000 }))
  } catch (error) {
    // It is an Error of the other context.
    if (String(error).includes('Script execution timed out')) return null
    throw error
  }
}

test('property: matches are the same as with RegExp', () => {
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 5 }), (source, texts) => {
      const linear = compileLinear(source)
      for (const each of texts) {
        const expected = occurs(source, each)
        fc.pre(expected !== null)
        assert.equal(linear(each), expected)
      }
    }),
    { numRuns: cases(100) },
  )
})

test('a pattern that is exponential with RegExp has a timeout in the reference', () => {
  assert.equal(occurs('(?:a|a)*$', `${'a'.repeat(64)}b`), null)
  assert.equal(occurs('b$', 'ab'), true)
  assert.equal(occurs('^b', 'ab'), false)
})

for (const [source, yes, no] of [
  ['^ORD-[0-9]{6}$', 'ORD-123456', 'ORD-12345'],
  ['^(?=.*[A-Z])(?=.*\\d)(?!.*\\s).{8,}$', 'Passw0rd', 'passw0rd'],
  ['^(?!admin$)[a-z]+$', 'administrator', 'admin'],
  ['^(?=a|b).', 'b', 'c'],
  ['(?<year>\\d{4})-\\d\\d', 'in 2024-01', '2024-1'],
  ['^a|b$', 'ab', 'ba'],
  ['^(?:a|)$', '', 'b'],
  ['[\\]\\-x]', ']', 'y'],
  ['[]', 'a', 'a'],
] as const)
  test(`${source} distinguishes ${JSON.stringify(yes)} from ${JSON.stringify(no)} as RegExp does`, () => {
    const linear = compileLinear(source)
    for (const each of [yes, no, `${yes}\n`]) assert.equal(linear(each), new RegExp(source, 'u').test(each))
  })

test('property: long repetitions are counted, and match as with RegExp', () => {
  const counts = fc.constantFrom('{0,300}', '{2,300}', '{300}', '{300,}', '{10,290}')
  const single = fc.constantFrom('a', '[ab]', '(?:.)', '\\b', '(b|)')
  const long = fc
    .array(fc.tuple(fc.constantFrom('a', 'b', 'ab', '1', '-'), fc.integer({ min: 0, max: 310 })), { maxLength: 4 })
    .map((runs) => runs.map(([each, times]) => each.repeat(times)).join(''))
  const counted = fc
    .array(
      fc.oneof(
        single,
        fc.tuple(fc.constantFrom('a', '[ab]', '(?:.)'), counts).map((pair) => pair.join('')),
      ),
      {
        minLength: 1,
        maxLength: 3,
      },
    )
    .map((parts) => parts.join(''))
  const anchors = fc.tuple(fc.constantFrom('', '^'), counted, fc.constantFrom('', '$'))
  fc.assert(
    fc.property(anchors, fc.array(long, { minLength: 5, maxLength: 5 }), (parts, texts) => {
      const linear = compileLinear(parts.join(''))
      for (const each of texts) assert.equal(linear(each), new RegExp(parts.join(''), 'u').test(each))
    }),
    { numRuns: cases(60) },
  )
})

test('counted repetitions take linear time and memory', () => {
  const linear = compileLinear('(?:[ab]{1,2000}c){3}d[ab]{0,100000}e')
  assert.equal(linear('ab'.repeat(500_000)), false)
  assert.equal(linear(`${'ab'.repeat(200_000)}cacbcd${'a'.repeat(100_000)}e`), true)
})

for (const [written, yes, no] of [
  ['^[\\w\\-\\.]+\\@[\\w\\-]+$', 'a.b-c@d', 'a b@d'],
  ['^[a-z\\_\\@\\#\\ ]+$', 'a_ @#', 'a\\'],
  ['\\bword\\b', 'a word.', 'swords'],
  ['^[a-zA-Z0-9\\s]{1,2000}$', 'a'.repeat(2000), 'a'.repeat(2001)],
  ['^[\\w-.]+$', 'a-b.c', 'a,b'],
  ['^[.-\\w]+$', 'a-b.c', 'a,b'],
  ['^{a}$', '{a}', 'a'],
  ['^\\d{2}}]$', '12}]', '12'],
  ['^\\"\\\'\\é$', '"\'é', 'é'],
  ['\\A[a-z]+\\Z', 'abc', 'ab1'],
  ['^(?P<year>\\d{4})$', '2024', '24'],
  ['(?i)^abc$', 'ABC', 'abd'],
  ['^(?i)[a-z]+\\-é$', 'ABC-É', 'ABC_É'],
  ['^\\p{L}+\\-$', 'é-', '1-'],
  ['^[\\[\\]\\-]+\\:$', '[-]:', '()'],
] as const)
  test(`${written} has the intended meaning`, () => {
    const linear = compileLinear(written)
    assert.equal(linear(yes), true)
    assert.equal(linear(no), false)
  })

test('property: matches are right beyond the limit of states, also with surrogate pairs', () => {
  const linear = compileLinear('^.*a.{12}(?:b|\u{1F600})$')
  const expression = /^.*a.{12}(?:b|\u{1F600})$/u
  for (let i = 0; i < 3000; i++) linear(i.toString(2).replaceAll('1', 'a'))
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b', '\u{1F600}', '\n'), maxLength: 40 }), (each) => {
      assert.equal(linear(each), expression.test(each))
    }),
    { numRuns: cases(100) },
  )
})

for (const source of [
  '(',
  '[z-a]',
  '(a)\\1',
  '(?<x>a)\\k<x>',
  'a(?=b)',
  '(?<=a)b',
  '^(?=a)b|c',
  '((a{50}){50}){50}',
  '(?:ab){1,2000}',
  'a{,5}',
  '\\hello',
  '[[:alpha:]]',
  '(?i:a)b',
  '(?P=x)',
  'a\\',
])
  test(`${source} is rejected with a reason`, () => {
    assert.throws(() => compileLinear(source), UnusablePattern)
  })

test('property: evicting states does not change the result', () => {
  const source = '^(?:a|b)*a[ab]{12}$'
  const linear = compileLinear(source)
  const expression = new RegExp(source, 'u')
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', 'b'), minLength: 10, maxLength: 300 }), (each) => {
      assert.equal(linear(each), expression.test(each))
    }),
    { numRuns: cases(100) },
  )
})

test('a pattern that is exponential elsewhere is fast', () => {
  const many = 'a'.repeat(100_000)
  assert.equal(compileLinear('^(a+)+$')(many), true)
  assert.equal(compileLinear('^(a+)+$')(`${many}!`), false)
})

test('property: compileWhole matches as if between "^" and "$"', () => {
  fc.assert(
    fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 5 }), (source, texts) => {
      const whole = compileWhole(source)
      const between = compileLinear(`^(?:${source})$`)
      for (const each of texts) assert.equal(whole(each), between(each))
    }),
  )
})

for (const [source, yes, no] of [
  ['a|b', 'b', 'ab'],
  ['^a', 'a', 'ab'],
  ['(?i)abc', 'ABC', 'ABCD'],
  ['^(?!admin)[a-z]+', 'users', 'admins'],
] as const)
  test(`${source} matches ${yes} as a whole, and not ${no}`, () => {
    const whole = compileWhole(source)
    assert.equal(whole(yes), true)
    assert.equal(whole(no), false)
  })

test('property: mayBegin is false only for prefixes of no matching text', () => {
  fc.assert(
    fc.property(pattern, text, fc.nat(), (source, each, cut) => {
      const characters = Array.from(each)
      const beginning = characters.slice(0, cut % (characters.length + 1)).join('')
      fc.pre(compileWhole(source)(each))
      assert.equal(mayBegin(source, beginning), true)
    }),
  )
  assert.equal(mayBegin('/users/[0-9]+', '/users/'), true)
  assert.equal(mayBegin('/users/[0-9]+', '/orders/'), false)
  assert.equal(mayBegin('/users/[0-9]+', '/users/7'), true)
  assert.equal(mayBegin('/users/[0-9]+', '/users/x'), false)
  assert.equal(mayBegin('/[a-z]{1,300}/x', '/a/b'), true, 'the value of the count is not checked')
})
