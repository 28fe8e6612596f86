import assert from 'node:assert/strict'
import test from 'node:test'
import { z } from 'zod'
import { makeExchange } from '../../../test/support/exchange.ts'
import { compileJsonEdits, jsonEdits } from './json-edits.ts'
import { parseJson } from './json-text.ts'

const schema = z.strictObject(jsonEdits)

function edited(options: z.input<typeof schema>, document: string, parts = {}): string {
  return JSON.stringify(compileJsonEdits(schema.parse(options))(parseJson(Buffer.from(document)), makeExchange(parts)))
}

const cases: readonly (readonly [what: string, options: z.input<typeof schema>, from: string, to: string])[] = [
  ['pick keeps what is named', { pick: ['/a', '/c/d'] }, '{"a":1,"b":2,"c":{"d":3,"e":4}}', '{"a":1,"c":{"d":3}}'],
  ['pick takes a star for every item', { pick: ['/*/id'] }, '[{"id":1,"x":2},{"id":3}]', '[{"id":1},{"id":3}]'],
  ['pick takes items by their index', { pick: ['/1'] }, '[5,6,7]', '[6]'],
  ['pick leaves nothing of a scalar', { pick: ['/a'] }, '"secret"', 'null'],
  ['pick leaves nothing of a scalar instead of a map', { pick: ['/a/b'] }, '{"a":"secret"}', '{"a":null}'],
  [
    'pick joins an index and a star',
    { pick: ['/0/a', '/*/b'] },
    '[{"a":1,"b":2},{"a":3,"b":4}]',
    '[{"a":1,"b":2},{"b":4}]',
  ],
  ['omit takes away what is named', { omit: ['/a', '/c/d'] }, '{"a":1,"c":{"d":3,"e":4}}', '{"c":{"e":4}}'],
  ['omit takes a star for every item', { omit: ['/u/*/p'] }, '{"u":[{"p":1},{"p":2,"q":3}]}', '{"u":[{},{"q":3}]}'],
  ['omit takes several items away', { omit: ['/0', '/2'] }, '[1,2,3,4]', '[2,4]'],
  ['omit leaves what is not there', { omit: ['/x/y/z', '/toString'] }, '{"x":1}', '{"x":1}'],
  ['escapes are those of RFC 6901', { omit: ['/a~1b', '/m~0n'] }, '{"a/b":1,"m~n":2,"c":3}', '{"c":3}'],
  ['an empty name is a name', { omit: ['/'] }, '{"":1,"a":2}', '{"a":2}'],
  ['rename moves a value', { rename: { '/a': '/b/c' } }, '{"a":[1]}', '{"b":{"c":[1]}}'],
  ['rename of what is not there does nothing', { rename: { '/a': '/b' } }, '{"b":1}', '{"b":1}'],
  ['set makes the maps on the way', { set: { '/a/b/c': 1 } }, '{}', '{"a":{"b":{"c":1}}}'],
  ['set replaces, and appends with -', { set: { '/l/0': 'x', '/l/-': 'y' } }, '{"l":[1,2]}', '{"l":["x",2,"y"]}'],
  ['set leaves no holes', { set: { '/l/5': 'x', '/l/x': 'y' } }, '{"l":[1]}', '{"l":[1]}'],
  ['set takes a star for every item', { set: { '/*/ok': true } }, '[{},{"a":1}]', '[{"ok":true},{"a":1,"ok":true}]'],
  ['set puts nothing below a scalar', { set: { '/a/b': 1 } }, '{"a":"text"}', '{"a":"text"}'],
  ['set takes any JSON value', { set: { '/a': { b: [null, '{path.id}'] } } }, '{}', '{"a":{"b":[null,"{path.id}"]}}'],
  ['a scalar document stays', { set: { '/a': 1 }, omit: ['/b'] }, '7', '7'],
  [
    'numbers keep all their digits',
    { omit: ['/x'] },
    '{"id":12345678901234567890,"n":1e400,"f":0.10}',
    '{"id":12345678901234567890,"n":1e400,"f":0.10}',
  ],
  [
    'a pick keeps all digits of a number',
    { pick: ['/id'] },
    '{"id":12345678901234567890}',
    '{"id":12345678901234567890}',
  ],
  ['a member __proto__ stays a member', { set: { '/a': 1 } }, '{"__proto__":{"x":1}}', '{"__proto__":{"x":1},"a":1}'],
]

for (const [what, options, from, to] of cases)
  test(what, () => {
    assert.equal(edited(options, from), to)
  })

test('a string value is a template that expands to text, not JSON', () => {
  const parts = { params: { id: '"],\r\n\0"Jürgen' } }
  assert.deepEqual(JSON.parse(edited({ set: { '/a': '<{path.id}>' } }, '{}', parts)), { a: '<"],\r\n\0"Jürgen>' })
})

for (const options of [
  { omit: [''] },
  { omit: ['a'] },
  { omit: ['/a~2'] },
  { pick: [] },
  { set: { '/__proto__/x': 1 } },
  { rename: { '/a/*': '/b' } },
  { set: { '/a': '{nope}' } },
])
  test(`${JSON.stringify(options)} is rejected`, () => {
    assert.ok(!schema.safeParse(options).success)
  })
