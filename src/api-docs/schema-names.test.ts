import assert from 'node:assert/strict'
import test from 'node:test'
import { runToEnd } from '../core/time-slices.ts'
import type { Json } from '../../test/support/openapi.ts'
import { parseConfig } from '../config/parse.ts'
import { Places } from './places.ts'
import { nameSchemas } from './schema-names.ts'
import { readServiceApi } from './service-api.ts'

/** The names of the schemas of services, each of which has an operation that refers to all of its schemas. */
function namesOf(services: Readonly<Record<string, Json>>): Record<string, string[]> {
  const names = Object.keys(services)
  const { routes } = parseConfig({
    services: Object.fromEntries(names.map((name, i) => [name, { instances: [`http://127.0.0.1:${8001 + i}`] }])),
    routes: names.map((name) => ({ id: name, match: { path: `/${name}` }, service: name })),
  })
  const places = new Places(routes, [])
  const apis = new Map(
    Object.entries(services).map(([name, schemas]) => {
      const anyOf = Object.keys(schemas).map((key) => ({ $ref: `#/components/schemas/${key}` }))
      const content = { 'application/json': { schema: { anyOf } } }
      const get = { responses: { 200: { description: '', content } } }
      const document = { openapi: '3.1.0', paths: { [`/${name}`]: { get } }, components: { schemas } }
      return [name, runToEnd(readServiceApi(JSON.stringify(document), name, places))] as const
    }),
  )
  const given = runToEnd(nameSchemas(apis))
  return Object.fromEntries([...apis].map(([name, api]) => [name, api.schemas.map((each) => given.get(each)!)]))
}

const refer = (name: string): Json => ({ type: 'array', items: { $ref: `#/components/schemas/${name}` } })

test('schemas keep their names if they are unique', () => {
  assert.deepEqual(namesOf({ a: { User: true }, b: { Order: true } }), { a: ['User'], b: ['Order'] })
})

test('different schemas with the same name are prefixed with their services', () => {
  assert.deepEqual(namesOf({ a: { Page: { minimum: 1 } }, b: { Page: { minimum: 2 } }, c: { Page: { minimum: 1 } } }), {
    a: ['a.Page'],
    b: ['b.Page'],
    c: ['c.Page'],
  })
})

test('identical schemas are merged', () => {
  assert.deepEqual(namesOf({ a: { Problem: { type: 'object' } }, b: { Problem: { type: 'object' } } }), {
    a: ['Problem'],
    b: ['Problem'],
  })
})

test('schemas that look the same but refer to different ones stay separate', () => {
  const first = { List: refer('Item'), Lists: refer('List'), Item: { minimum: 1 } }
  const second = { List: refer('Item'), Lists: refer('List'), Item: { minimum: 2 } }
  assert.deepEqual(
    Object.values(namesOf({ a: first, b: second }))
      .flat()
      .toSorted(),
    ['a.Item', 'a.List', 'a.Lists', 'b.Item', 'b.List', 'b.Lists'],
  )
  const third = { List: refer('Item'), Item: { minimum: 1 } }
  assert.deepEqual(new Set(Object.values(namesOf({ a: first, c: third })).flat()), new Set(['Item', 'List', 'Lists']))
})

test('a schema cannot take the name of the gateway’s problem documents', () => {
  assert.deepEqual(namesOf({ a: { ProblemDetails: true } }), { a: ['a.ProblemDetails'] })
})

test('names that become equal after sanitizing stay distinct', () => {
  assert.deepEqual(namesOf({ a: { 'P<x>': true, 'P(x)': true } }), { a: ['a.P_x_', 'a.P_x_2'] })
})
