import assert from 'node:assert/strict'
import test from 'node:test'
import { fileURLToPath } from 'node:url'
import { policies } from '../policies/index.ts'
import { readDocuments } from './documents.ts'
import { parseConfig } from './parse.ts'
import { fieldOf } from '../core/value.ts'

const base = fileURLToPath(new URL('../../test/config/sallyport.yaml', import.meta.url))
const read = (value: unknown) => readDocuments({ value, chain: policies, findings: [] }, base)

test('document paths are replaced by file contents, for all routes and single ones, and each file is one value', async () => {
  const validation = { query: 'documents/order.json', body: { schema: './documents/order.json' } }
  const { value, findings } = await read({
    policies: { validation },
    routes: [{ id: 'a' }, { policies: { validation } }],
  })
  assert.deepEqual(findings, [])
  const routes = fieldOf(value, 'routes') as unknown[]
  const options = [value, routes[1]].map((place) => fieldOf(fieldOf(place, 'policies'), 'validation'))
  const documents = options.flatMap((each) => [fieldOf(each, 'query'), fieldOf(fieldOf(each, 'body'), 'schema')])
  assert.deepEqual(fieldOf(documents[0], 'required'), ['items'])
  assert.equal(new Set(documents).size, 1)
  assert.deepEqual(routes[0], { id: 'a' })
  assert.equal(validation.query, 'documents/order.json')
})

test('inline documents and non-objects stay unchanged', async () => {
  for (const value of [{ policies: { validation: { query: { type: 'object' }, body: '1mb' } } }, { policies: 1 }, null])
    assert.deepEqual(await read(value), { value, chain: policies, findings: [] })
})

test('a document for all routes stays one object when sent to a worker, to be compiled once', async () => {
  const routes = ['a', 'b'].map((id) => ({ id, match: { path: `/${id}` }, reply: {} }))
  const files = await read({ policies: { validation: { query: 'documents/order.json' } }, routes })
  const parsed = structuredClone(parseConfig(files.value, files))
  const documents = [parsed, ...parsed.routes].map(({ policies: { validation } }) => validation && validation.query)
  assert.deepEqual(
    documents.map((each) => fieldOf(each, 'required')),
    [['items'], ['items'], ['items']],
  )
  assert.equal(new Set(documents).size, 1)
})
