import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { parsePattern, PatternError } from './pattern.ts'
import { compileBody, compileField, contentTypeAmong, type ReplyText } from './reply-text.ts'
import { anyCharacter } from '../../test/support/text.ts'

const pattern = parsePattern('/users/{id}')

function filled(text: ReplyText, id: string): string {
  return typeof text === 'string'
    ? text
    : text({ scheme: 'https', host: 'a.example:8443', path: '/users/x', params: { id } })
}

const body = (text: string, type: string | null, id = '7'): string => filled(compileBody(text, type, [pattern]), id)

function refused(text: string, type: string | null, message: RegExp): void {
  assert.throws(
    () => compileBody(text, type, [pattern]),
    (error) => error instanceof PatternError && message.test(error.message),
  )
}

test('placeholders in plain text are replaced without escaping', () => {
  assert.equal(
    body('{id} at {scheme}://{hostname}:{port}{path}', 'text/plain', 'a b'),
    'a b at https://a.example:8443/users/x',
  )
  assert.equal(body('{host}', 'text/plain; charset=utf-8'), 'a.example:8443')
})

test('braces that are not placeholders stay, and doubled ones become single', () => {
  assert.equal(body('{"ok":{"a":1},"b":[{}]}', null), '{"ok":{"a":1},"b":[{}]}')
  assert.equal(body('a { color: red } ${HOME} {{id}}', null), 'a { color: red } ${HOME} {id}')
})

test('unknown names, and placeholders without a type to escape for, are rejected', () => {
  refused('{nmae}', 'text/plain', /has \{nmae\}, which is not a parameter/)
  refused('{id}', null, /no Content-Type/)
  refused('{id}', 'text/csv', /Content-Type "text\/csv"/)
  assert.throws(() => compileField('Content-Type', 'text/{id}', [pattern]), /one and the same type/)
})

test('in JSON a placeholder has to be in a string', () => {
  assert.equal(body('{"id":"{id}"}', 'application/json', '"},\\ </script>'), '{"id":"\\"},\\\\ \\u003c/script\\u003e"}')
  refused('{"id":{id}}', 'application/json', /outside of a string/)
  refused('{"id":"\\{id}"}', 'application/json', /middle of an escape/)
  refused('{"id":"\\u00{id}"}', 'application/problem+json', /middle of an escape/)
  refused('{"{id}":"a\\"",{id}', 'application/json', /outside of a string/)
})

test('property: any value stays a string in JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (id) => {
      const parsed: unknown = JSON.parse(body('{"a":["{id}",1],"b":{"{id}x":true}}', 'application/json', id))
      assert.deepEqual(parsed, { a: [id.toWellFormed(), 1], b: { [`${id.toWellFormed()}x`]: true } })
    }),
  )
})

test('property: any value adds no element, attribute, reference or line to markup', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (id) => {
      assert.match(body('{id}', 'text/html', id), /^(?:[A-Za-z0-9 .\-_\u0080-\u{10ffff}]|&#\d+;)*$/u)
    }),
  )
})

test('in markup a placeholder has to be between tags, or in quotes after other text', () => {
  assert.equal(body('<p>{id}</p>', 'text/html', '<b>&'), '<p>&#60;b&#62;&#38;</p>')
  assert.equal(body('<a href="/u?{id}">', 'image/svg+xml', '"x'), '<a href="/u?&#34;x">')
  assert.equal(body('<script>1</script><title>{id}</title>', 'text/html'), '<script>1</script><title>7</title>')
  refused('<script>f("{id}")</script>', 'text/html', /in <script>/)
  refused('<!-- {id} -->', 'text/html', /in a comment/)
  refused('<a href={id}>', 'text/html', /in a tag/)
  refused('<a title="a>b" href={id}>', 'text/html', /in a tag/)
  refused('<a href="{id}">', 'text/html', /in a tag/)
  refused('<a onclick="f({id})">', 'text/html', /attribute onclick/)
  refused('<a href="javascript:f({id})">', 'application/xhtml+xml', /in an address that is code/)
})

test('values in headers are percent-encoded', () => {
  assert.equal(
    filled(compileField('X-Id', 'user {id} on {host}', [pattern]), 'a\r\nb'),
    'user a%0D%0Ab on a.example:8443',
  )
  assert.equal(contentTypeAmong([['content-type', 'text/plain']]), 'text/plain')
})
