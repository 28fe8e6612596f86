import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { z } from 'zod'
import { configJsonSchema } from './json-schema.ts'
import { at, type Fields, fieldOf, isFields, itemsOf } from '../core/value.ts'
import { gatewaySchema } from './schema.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const schema = configJsonSchema()
const validator = z.fromJSONSchema(schema)

const route = { id: 'a', match: { path: '/a' }, reply: {} }

test('the JSON Schema accepts every valid configuration as written, variables included', () => {
  const files = [`${root}sallyport.yaml`, ...globSync(`${root}test/config/good/*.yaml`)]
  assert.ok(files.length > 2)
  for (const file of files) {
    const { error } = validator.safeParse(parse(readFileSync(file, 'utf8'), { merge: true }))
    assert.equal(error, undefined, file)
  }
})

test('the JSON Schema rejects mistakes that editors should underline', () => {
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

/** Every key below a schema, with what is said of it. */
function optionsOf(part: unknown): Fields[] {
  if (Array.isArray(part)) return part.flatMap(optionsOf)
  if (!isFields(part)) return []
  const options = Object.values(isFields(part['properties']) ? part['properties'] : {}).filter(isFields)
  const inner = [...options, part['items'], part['additionalProperties'], part['anyOf']]
  return [...options, ...inner.flatMap(optionsOf)]
}

/** The forms that a value may have, but for a variable. */
function formsOf(option: Fields): Fields[] {
  const { anyOf } = option
  if (!Array.isArray(anyOf)) return '$ref' in option ? [] : [option]
  return anyOf.filter(isFields).flatMap(formsOf)
}

/** Whether there is nothing in the schema to choose from. */
function isFree(form: Fields): boolean {
  if ('enum' in form || 'const' in form) return false
  if (form['type'] === 'array') return isFields(form['items']) && formsOf(form['items']).some(isFree)
  if (form['type'] === 'object') return !('properties' in form)
  return [form['type']].flat().includes('string')
}

test('every option has its path as title, and a description', () => {
  const bare = optionsOf(schema).filter(({ title, description }) => !isText(title) || !isText(description))
  assert.deepEqual(
    bare.map(({ title, description }) => ({ title, description })),
    [],
  )
  assert.equal(fieldAt(schema, ['properties', 'limits', 'properties', 'idleTimeout', 'title']), 'limits.idleTimeout')
})

test('every option with a free text, list or map has an example or a usable default', () => {
  const bare = optionsOf(schema).filter((option) => {
    const { default: fallback } = option
    const isShown = [option, ...formsOf(option)].some(({ examples }) => Array.isArray(examples))
    const isEmpty = typeof fallback === 'object' ? Object.keys(fallback ?? {}).length === 0 : !fallback
    return formsOf(option).some(isFree) && !isShown && isEmpty
  })
  assert.deepEqual(
    bare.map(({ title }) => title),
    [],
  )
})

test('the gateway accepts every example', () => {
  const refused: unknown[] = []
  z.toJSONSchema(gatewaySchema, {
    io: 'input',
    unrepresentable: 'any',
    override({ zodSchema, path }) {
      for (const example of itemsOf(fieldOf(z.globalRegistry.get(zodSchema), 'examples'))) {
        // What files and variables hold is not there.
        if (/"\.\/|\$\{/.test(JSON.stringify(example))) continue
        const { error } = z.safeParse(zodSchema, example)
        if (error !== undefined) refused.push({ path: path.join('.'), example, error: error.issues })
      }
    },
  })
  assert.deepEqual(refused, [])
})

test('the JSON Schema accepts its own examples and snippets', () => {
  const { definitions } = schema
  const refused = optionsOf(schema).flatMap((option) => {
    const one = z.fromJSONSchema({ ...option, $schema: 'http://json-schema.org/draft-07/schema#', definitions })
    const takes = (value: unknown): boolean => one.safeParse(value).success
    const snippets = itemsOf(option['defaultSnippets']).map((snippet) => fieldOf(snippet, 'body'))
    return [
      ...itemsOf(option['examples']).filter((example) => !takes(example)),
      ...snippets.filter((body) => !takes(body) && !takes([body])),
    ].map((each) => [option['title'], each])
  })
  assert.deepEqual(refused, [])
})

test('editors have a snippet for a listener', () => {
  const snippets = fieldAt(schema, ['properties', 'listeners', 'defaultSnippets'])
  const tls = { certificates: [{ cert: './tls/example.com.pem', key: './tls/example.com.key' }] }
  assert.deepEqual(
    itemsOf(snippets).map((snippet) => fieldOf(snippet, 'body')),
    [{ address: '0.0.0.0:8000' }, { address: '0.0.0.0:8443', tls }],
  )
})

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== ''
}

function fieldAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(at, value)
}
