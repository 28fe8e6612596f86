import assert from 'node:assert/strict'
import test from 'node:test'
import { NameSet } from './name-set.ts'

const names = new NameSet(['X-Frame-Options', 'Server', 'x-a'])

const cases: Record<string, readonly [before: string, after: string]> = {
  'no fields': ['', ''],
  'none of them': ['Content-Type: a/b\r\nSet-Cookie: a=1\r\n', 'Content-Type: a/b\r\nSet-Cookie: a=1\r\n'],
  'one at the beginning': ['Server: s\r\nAccept: */*\r\n', 'Accept: */*\r\n'],
  'one in the middle': ['Via: a\r\nSERVER: s\r\nAccept: */*\r\n', 'Via: a\r\nAccept: */*\r\n'],
  'one at the end': ['Via: a\r\nx-frame-OPTIONS: DENY\r\n', 'Via: a\r\n'],
  'several, next to each other and apart': [
    'Server: a\r\nX-A: \r\nVia: a\r\nserver: b\r\nB: c\r\n',
    'Via: a\r\nB: c\r\n',
  ],
  'nothing else': ['Server: a\r\nserver: b\r\n', ''],
  'a longer name': ['Server-Timing: a\r\nX-Ab: b\r\n', 'Server-Timing: a\r\nX-Ab: b\r\n'],
  'a shorter name': ['Serve: a\r\nX: b\r\n', 'Serve: a\r\nX: b\r\n'],
  'a name inside a value': ['Via: Server: a\r\nTrailer: X-A: b\r\n', 'Via: Server: a\r\nTrailer: X-A: b\r\n'],
  'a name of other letters at the same place': ['Xaxbcde-Options: a\r\nX_A: b\r\n', 'Xaxbcde-Options: a\r\nX_A: b\r\n'],
}

for (const [what, [before, after]] of Object.entries(cases))
  test(`without removes exactly the fields of the names: ${what}`, () => {
    assert.equal(names.without(before), after)
    assert.equal(names.isIn(before), before !== after)
  })

test('if there is nothing to remove the same string is returned', () => {
  assert.equal(new NameSet([]).without('A: b\r\n'), 'A: b\r\n')
})

test('has is case-insensitive', () => {
  assert.ok(names.has('X-frame-options'))
  assert.ok(!names.has('x-frame'))
})
