import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { GatewayError } from '../../core/errors.ts'
import { Headers } from '../../http/headers.ts'
import { type Parameter, readHeaders, readPath, readQuery, type Style } from './parameters.ts'
import { within } from '../../openapi/references.ts'
import { shapeOf } from './shape.ts'

function parameter(schema: unknown, style: Style, explode: boolean, name = 'p'): Parameter {
  return { name, style, explode, shape: shapeOf(schema, within({})), mayBeEmpty: false }
}

const numbers = { type: 'array', items: { type: 'integer' } }
const point = { type: 'object', properties: { x: { type: 'number' }, on: { type: 'boolean' } } }

for (const [what, schema, style, explode, query, value] of [
  ['a text', { type: 'string' }, 'form', true, '?p=12', '12'],
  ['an untyped value', { pattern: '1' }, 'form', true, '?p=12', '12'],
  ['a number', { type: 'integer' }, 'form', true, '?p=-12', -12],
  ['a number or null', { type: ['integer', 'null'] }, 'form', true, '?p=null', null],
  ['a number because of its enum', { enum: [1, 2] }, 'form', true, '?p=2', 2],
  ['one of several types', { anyOf: [{ type: 'boolean' }, { type: 'integer' }] }, 'form', true, '?p=true', true],
  ['a hexadecimal number as text', { type: 'integer' }, 'form', true, '?p=0x10', '0x10'],
  ['a number with a space as text', { type: 'integer' }, 'form', true, '?p=+1', ' 1'],
  ['a value without digits as text', { type: 'integer' }, 'form', true, '?p=', ''],
  ['a number that is not a boolean', { type: 'boolean' }, 'form', true, '?p=1', '1'],
  ['percent-encoding', { type: 'string' }, 'form', true, '?%70=a%20b+c%2B&&', 'a b c+'],
  ['a repeated untyped parameter', {}, 'form', true, '?p=1&p=2', ['1', '2']],
  ['a repeated parameter that may be a list', { type: ['integer', 'array'] }, 'form', true, '?p=1&p=2', [1, 2]],
  ['a list with one item', numbers, 'form', true, '?p=1', [1]],
  ['a list', numbers, 'form', true, '?p=1&p=2', [1, 2]],
  ['a list with commas', numbers, 'form', false, '?p=1,2', [1, 2]],
  ['an empty list', numbers, 'form', false, '?p=', []],
  ['a comma within an item', { type: 'array' }, 'form', false, '?p=a%2Cb,c', ['a,b', 'c']],
  ['a list with spaces', numbers, 'spaceDelimited', false, '?p=1%202+3', [1, 2, 3]],
  ['a list with pipes', numbers, 'pipeDelimited', false, '?p=1|2%7C3', [1, 2, 3]],
  ['a map', point, 'form', true, '?x=1&on=true', { x: 1, on: true }],
  ['a map in pairs', point, 'form', false, '?p=x,1.5,on,false', { x: 1.5, on: false }],
  ['a map in brackets', point, 'deepObject', true, '?p[x]=1e2&p%5Bon%5D=true', { x: 100, on: true }],
] as const)
  test(`a query contains ${what}`, () => {
    const { p } = readQuery(query, [parameter(schema, style, explode)])
    assert.deepEqual(p !== null && typeof p === 'object' && !Array.isArray(p) ? { ...p } : p, value)
  })

const node = {
  $ref: '#/node',
}
const tree = {
  node: {
    type: 'object',
    properties: { n: { type: 'integer' }, ids: numbers, below: node },
    additionalProperties: { type: 'boolean' },
  },
}

for (const [what, query, value] of [
  ['unknown members', '?p[n]=1&p[other]=true', { n: 1, other: true }],
  ['maps within maps', '?p[below][below][n]=2&p[below][n]=1', { below: { below: { n: 2 }, n: 1 } }],
  ['lists', '?p[ids]=1&p[ids]=2', { ids: [1, 2] }],
  ['a list with one item', '?p[ids]=1', { ids: [1] }],
  ['lists in brackets', '?p[ids][]=1&p[ids][]=2', { ids: [1, 2] }],
  ['lists with indexes', '?p%5Bids%5D%5B0%5D=1&p[ids][1]=2', { ids: [1, 2] }],
  [
    'names of built-in properties',
    '?p[__proto__]=true&p[constructor][a]=1',
    { ['__proto__']: true, constructor: { a: '1' } },
  ],
  ['nothing', '?q[n]=1&p=1&pp[n]=1&p[n', undefined],
] as const)
  test(`brackets contain ${what}`, () => {
    const known = { ...parameter({}, 'deepObject', true), shape: shapeOf(tree.node, within(tree)) }
    const { p } = readQuery(query, [known])
    assert.equal(JSON.stringify(typeof p === 'string' ? undefined : p), JSON.stringify(value))
  })

for (const query of ['?p[n]=1&p[n]=2', '?p[a]=1&p[a][b]=1', '?p[a][b]=1&p[a]=1', `?p${'[below]'.repeat(17)}=1`])
  test(`${query.slice(0, 20)} in brackets is rejected`, () => {
    const known = { ...parameter({}, 'deepObject', true), shape: shapeOf(tree.node, within(tree)) }
    assert.throws(() => readQuery(query, [known]), GatewayError)
  })

test('JSON in a parameter is parsed, and invalid JSON stays a string', () => {
  const known: Parameter[] = [{ name: 'p', style: 'form', explode: true, shape: { type: 'json' }, mayBeEmpty: false }]
  assert.deepEqual(readQuery('?p=%7B%22a%22%3A1%7D', known)['p'], { a: 1 })
  assert.equal(readQuery('?p={', known)['p'], '{')
})

test('unknown parameters are strings', () => {
  assert.deepEqual({ ...readQuery('?a=1&b=2&b=3&c', []) }, { a: '1', b: ['2', '3'], c: '' })
})

for (const schema of [{ type: 'integer' }, { enum: ['1'] }, { pattern: '^1$' }, { allOf: [{ maxLength: 1 }] }])
  test(`repetition of a parameter with the schema ${JSON.stringify(schema)} is rejected`, () => {
    const known = [parameter(schema, 'form', true)]
    assert.equal(String(readQuery('?p=1', known)['p']), '1')
    assert.throws(
      () => readQuery('?p=1&%70=2', known),
      (error) => error instanceof GatewayError && error.code === 'bad-request',
    )
  })

for (const query of ['?p=%zz', '?%ff=1', '?p=%c3'])
  test(`${query} is rejected`, () => {
    assert.throws(
      () => readQuery(query, []),
      (error) => error instanceof GatewayError && error.code === 'bad-request',
    )
  })

test('property: any query is read or rejected, and sets no prototype', () => {
  const known = [parameter(numbers, 'form', false), parameter(point, 'deepObject', true, 'q')]
  fc.assert(
    fc.property(
      fc.string({
        unit: fc.constantFrom(
          'p',
          'q',
          '=',
          '&',
          ',',
          '+',
          '[x]',
          '[',
          '%',
          '2',
          'c',
          '|',
          '%7C',
          '__proto__',
          'toString',
        ),
      }),
      (text) => {
        try {
          const values = readQuery(`?${text}`, known)
          assert.equal(Object.getPrototypeOf(values), null)
        } catch (error) {
          assert.ok(error instanceof GatewayError && error.status === 400)
        }
      },
    ),
  )
})

test('headers are case-insensitive, and repeated ones combined', () => {
  const headers = Headers.of([
    ['x-list', '1, 2'],
    ['X-LIST', '3'],
    ['X-Point', 'x=1,on=true'],
    ['X-Number', '7'],
  ])
  const values = readHeaders(headers, [
    parameter(numbers, 'simple', false, 'X-List'),
    parameter(point, 'simple', true, 'X-Point'),
    parameter({ type: 'integer' }, 'simple', false, 'X-Number'),
    parameter({}, 'simple', false, 'X-Missing'),
  ])
  assert.deepEqual(JSON.parse(JSON.stringify(values)), {
    'X-List': [1, 2, 3],
    'X-Point': { x: 1, on: true },
    'X-Number': 7,
  })
})

test('path parameters have the types of their schemas', () => {
  const known = [parameter({ type: 'integer' }, 'simple', false, 'id'), parameter(numbers, 'simple', false, 'ids')]
  assert.deepEqual({ ...readPath({ id: '7', ids: '1,2', other: '3' }, known) }, { id: 7, ids: [1, 2], other: '3' })
})

test('the shape of a schema is found through references, even circular ones', () => {
  const resolve = within({
    $defs: {
      'a/b': { anyOf: [{ $ref: '#/$defs/a~1b' }, { $ref: '#/$defs/c%20d' }] },
      'c d': { allOf: [{ type: 'array', items: { $ref: '#/$defs/n' } }, { $ref: '#/$defs/a~1b' }] },
      n: { type: 'integer' },
    },
  })
  assert.deepEqual(shapeOf({ $ref: '#/$defs/a~1b' }, resolve), { type: 'list', item: new Set(['integer']) })
})
