import assert from 'node:assert/strict'
import test from 'node:test'
import { parsePattern, PatternError } from './pattern.ts'

test('an exact pattern has literal segments', () => {
  assert.deepEqual(parsePattern('/a/b'), {
    text: '/a/b',
    key: '/a/b',
    segments: [{ literal: 'a' }, { literal: 'b' }],
    isPrefix: false,
  })
})

test('the root and a trailing slash end in an empty segment', () => {
  assert.deepEqual(parsePattern('/').segments, [{ literal: '' }])
  assert.deepEqual(parsePattern('/a/').segments, [{ literal: 'a' }, { literal: '' }])
})

test('a trailing /* is the rest, not a segment', () => {
  assert.deepEqual(parsePattern('/a/*'), { text: '/a/*', key: '/a/*', segments: [{ literal: 'a' }], isPrefix: true })
  assert.deepEqual(parsePattern('/*'), { text: '/*', key: '/*', segments: [], isPrefix: true })
})

test('the key of a pattern omits parameter names', () => {
  const pattern = parsePattern('/users/{id}/orders/{_order2}/*')
  assert.equal(pattern.text, '/users/{id}/orders/{_order2}/*')
  assert.equal(pattern.key, '/users/{}/orders/{}/*')
  assert.equal(parsePattern('/users/{x}/orders/{y}/*').key, pattern.key)
})

test('literals are normalized like request paths', () => {
  assert.equal(parsePattern('/%61%2fb/c[1]').text, '/a%2Fb/c%5B1%5D')
  assert.equal(parsePattern('/café menu/😀').text, '/caf%C3%A9%20menu/%F0%9F%98%80')
  assert.equal(parsePattern('/caf%c3%a9').key, parsePattern('/café').key)
  assert.equal(parsePattern('/%2A').text, '/%2A')
})

const problems: Record<string, RegExp> = {
  '': /must start with "\/"/,
  a: /must start with "\/"/,
  '*': /must start with "\/"/,
  '/a*': /"\*" is allowed only as the whole last segment, as in "\/a\/\*"/,
  '/a/*/b': /"\*" is allowed only/,
  '/a/**': /did you mean "\/a\/\*"\?/,
  '/{id': /a parameter is a whole segment/,
  '/v{n}': /has "v\{n\}": a parameter is a whole segment/,
  '/{}': /a parameter is a whole segment/,
  '/{1a}': /a parameter is a whole segment/,
  '/{a-b}': /a parameter is a whole segment/,
  '/{a}/{a}': /names the parameter \{a\} twice/,
  '/{__proto__}': /cannot name a parameter \{__proto__\}/,
  '//a': /empty segment/,
  '/a//*': /empty segment/,
  '/a/../b': /has "\.\.", which no request path can contain/,
  '/.': /has "\.", which no request path can contain/,
  '/%2e/a': /which no request path can contain/,
  '/a?b=c': /which no request path can contain/,
  '/a#b': /which no request path can contain/,
  '/a\\b': /which no request path can contain/,
  '/a%': /which no request path can contain/,
  '/a\nb': /which no request path can contain/,
  '/\ud800': /which no request path can contain/,
}

for (const [text, message] of Object.entries(problems)) {
  test(`${JSON.stringify(text)} is not a valid pattern`, () => {
    assert.throws(
      () => parsePattern(text),
      (error) => error instanceof PatternError && message.test(error.message),
    )
  })
}
