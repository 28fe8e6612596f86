import assert from 'node:assert/strict'
import test from 'node:test'
import { parseDictionary, parseString, parseStrings } from './structured-fields.ts'

test('a Dictionary of every type; the last member of a name counts', () => {
  assert.deepEqual(
    [
      ...parseDictionary(
        'a=1, b=-2.5;q=1,\tc="x \\"y\\"" , d=tok/en:*, e, f=?0, g=:YQ==:, h=(1 2);p, i=@-1, j=%"%c3%bc%22", a=3',
      )!,
    ],
    [
      ['b', -2.5],
      ['c', 'x "y"'],
      ['d', 'tok/en:*'],
      ['e', true],
      ['f', false],
      ['g', null],
      ['h', null],
      ['i', null],
      ['j', null],
      ['a', 3],
    ],
  )
})

for (const text of [
  'A=1',
  'a=',
  'a=1 b',
  'a,',
  ',a',
  'a=1.',
  'a=1.2345',
  'a=1234567890123456',
  'a=(1 2',
  'a=(1,2)',
  'a="é"',
  'a=?2',
  'a=@1.5',
  'a=@',
  'a=%"%FF"',
  'a=%"%ff"',
  'a=%"',
  'a;=1',
])
  test(`${text} is no Dictionary`, () => assert.equal(parseDictionary(text), null))

test('the Strings of a List, in order', () => {
  assert.deepEqual(parseStrings('"a";x=1, b, "c d", 1'), ['a', 'c d'])
  assert.deepEqual(parseStrings(''), [])
  assert.equal(parseStrings('"a", '), null)
  assert.equal(parseStrings('"a" "b"'), null)
})

test('the text of an Item that is a String, whatever its parameters are', () => {
  assert.equal(parseString('"a b"'), 'a b')
  assert.equal(parseString(' "a\\"\\\\b";x=1;y '), 'a"\\b')
  assert.equal(parseString('""'), '')
  for (const other of ['', 'token', '1', '?1', ':YQ==:', '("a")', '"a', '"a" "b"', '"a", "b"', '"a";', '"\\n"', '"é"'])
    assert.equal(parseString(other), null, other)
})
