import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { configJsonSchema } from './json-schema.ts'
import { type Fields, isFields } from '../core/value.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const schema = configJsonSchema()
const validator = z.fromJSONSchema(schema)

const route = { id: 'a', match: { path: '/a' }, reply: {} }

test('the JSON Schema takes every good configuration as it is written, variables included', () => {
  const files = [`${root}sallyport.yaml`, ...globSync(`${root}test/config/good/*.yaml`)]
  assert.ok(files.length > 2)
  for (const file of files) {
    const { error } = validator.safeParse(parse(readFileSync(file, 'utf8'), { merge: true }))
    assert.equal(error, undefined, file)
  }
})

test('the JSON Schema refuses what editors should underline', () => {
  assert.ok(validator.safeParse({ routes: [route] }).success)
  for (const bad of [
    { wokers: 1 },
    { workers: 'many' },
    { drainTimeout: '10' },
    { log: { level: 'loud' } },
    { policies: { 'correlation-id': { heder: 'X' } } },
    { policies: { ratelimit: {} } },
    { services: { a: {} } },
    { services: { a: { instances: ['http://a'], balancer: 'random' } } },
    { routes: [{ ...route, service: 'a' }] },
    { routes: [{ ...route, reply: undefined }] },
  ])
    assert.ok(!validator.safeParse(JSON.parse(JSON.stringify(bad))).success, JSON.stringify(bad))
})

test('every option has a description', () => {
  const bare: string[] = []
  const walk = (part: unknown, path: string): void => {
    if (Array.isArray(part)) return part.forEach((item) => walk(item, path))
    if (!isFields(part)) return
    for (const [name, option] of Object.entries(part['properties'] ?? {}) as [string, Fields][]) {
      if (option['description'] === undefined) bare.push(`${path}.${name}`)
      walk(option, `${path}.${name}`)
    }
    for (const inner of ['items', 'additionalProperties', 'anyOf']) walk(part[inner], path)
  }
  walk(schema, '')
  assert.deepEqual(bare, [])
})
