import assert from 'node:assert/strict'
import test from 'node:test'
import { intendedPattern } from './foreign-pattern.ts'
import { parsePattern, PatternError } from './pattern.ts'

for (const [text, meant] of [
  ['/a/:id', '/a/{id}'],
  ['/a/:id/b/:other?', '/a/{id}/b/{other}'],
  ['/a/[0-9]+', '/a/{id}'],
  ['/a/\\d+/b', '/a/{id}/b'],
  ['/a/([^/]+)/b', '/a/{id}/b'],
  ['/a/[^/]*', '/a/{id}'],
  ['/a/c[1]', null],
  ['^/a/(?<name>[a-z]+)$', '/a/{name}'],
  ['~ ^/a$', '/a'],
  ['/a/.*', '/a/*'],
  ['/a/(.*)', '/a/*'],
  ['/a/**', '/a/*'],
  ['/a/*rest', '/a/*'],
  ['/a/:rest*', '/a/*'],
  ['/a/{rest...}', '/a/*'],
  ['/a/{rest:path}', '/a/*'],
  ['/{proxy+}', '/*'],
  ['/a/{id:[0-9]+}/b', '/a/{id}/b'],
  ['/a/<int:id>', '/a/{id}'],
  ['/a/<path:rest>', '/a/*'],
  ['/a/.*/b/[a-z]*/[0-9]', '/a/{rest}/b/{id}/{id2}'],
  ['/a/(x|y)', '/a/{id}'],
  ['/a', null],
  ['/a/*', null],
  ['/a/{id}/*', null],
  ["/users('7')/$value", null],
  ['/$metadata', null],
  ['/v1/x:cancel', null],
  ['/a+b/c.d/(e)/*', null],
  ['/', null],
  ['', null],
  ['a/:id', null],
] as const)
  test(`${text} gets the suggestion ${meant ?? 'null'}`, () => {
    assert.equal(intendedPattern(text), meant)
    if (meant === null) return
    assert.equal(parsePattern(meant).text, meant)
    assert.throws(
      () => parsePattern(text),
      (error) => error instanceof PatternError && error.message.endsWith(`did you mean "${meant}"?`),
    )
  })
