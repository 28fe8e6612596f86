import assert from 'node:assert/strict'
import test from 'node:test'
import { parseByteSequences, parseDictionary, parseInnerLists, parseString, parseStrings } from './structured-fields.ts'

test('a Dictionary has values of every type, and the last of repeated members is used', () => {
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
  test(`${text} is not a Dictionary`, () => assert.equal(parseDictionary(text), null))

test('the Strings of a List are returned in order', () => {
  assert.deepEqual(parseStrings('"a";x=1, b, "c d", 1'), ['a', 'c d'])
  assert.deepEqual(parseStrings(''), [])
  assert.equal(parseStrings('"a", '), null)
  assert.equal(parseStrings('"a" "b"'), null)
})

test('an Item that is a String is parsed, whatever its parameters', () => {
  assert.equal(parseString('"a b"'), 'a b')
  assert.equal(parseString(' "a\\"\\\\b";x=1;y '), 'a"\\b')
  assert.equal(parseString('""'), '')
  for (const other of ['', 'token', '1', '?1', ':YQ==:', '("a")', '"a', '"a" "b"', '"a", "b"', '"a";', '"\\n"', '"é"'])
    assert.equal(parseString(other), null, other)
})

test('a Dictionary of Inner Lists is parsed with parameters', () => {
  const lists = parseInnerLists('a=("x" "y";z=1 t);k="v";n=7;f , b=()')
  assert.deepEqual([...(lists?.keys() ?? [])], ['a', 'b'])
  const list = lists?.get('a')
  assert.equal(list?.text, '("x" "y";z=1 t);k="v";n=7;f')
  assert.deepEqual(
    list.items.map(({ text, value }) => [text, value]),
    [
      ['"x"', 'x'],
      ['"y";z=1', 'y'],
      ['t', 't'],
    ],
  )
  assert.deepEqual([...(list.items[1]?.parameters ?? [])], [['z', 1]])
  assert.deepEqual(
    [...list.parameters],
    [
      ['k', 'v'],
      ['n', 7],
      ['f', true],
    ],
  )
  assert.equal(lists?.get('b')?.items.length, 0)
  for (const text of ['a=1', 'a', 'a=("x"', 'a=("x""y")', 'a=(), a=()', 'a=();b;b', 'a=("x";b;b)', 'a=(),'])
    assert.equal(parseInnerLists(text), null, text)
})

test('a Dictionary of Byte Sequences is parsed in canonical form only', () => {
  const sequences = parseByteSequences('a=:YWI=:;p=1, b=::')
  assert.deepEqual(
    [...(sequences ?? [])].map(([key, bytes]) => [key, bytes.toString()]),
    [
      ['a', 'ab'],
      ['b', ''],
    ],
  )
  for (const text of ['a=YWI=', 'a=:YWI:', 'a=:YWJ=:', 'a="x"', 'a=:YQ==:, a=:YQ==:', 'a'])
    assert.equal(parseByteSequences(text), null, text)
})
