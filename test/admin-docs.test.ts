import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { startAdminGateway } from './support/admin.ts'
import { proxyTo } from './support/gateway.ts'
import { send } from './support/client.ts'

interface Operation {
  readonly summary?: string
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema: object }> }>>
}

interface Document {
  readonly openapi: string
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly security?: unknown
}

const keys = [{ id: 'ci', sha256: hash('sha256', 'the-key') }]
const auth = { methods: { 'api-key': { keys } }, public: ['/*'] }
const backend = proxyTo('http://127.0.0.1:1', { policies: { auth, 'rate-limit': {}, cache: {} } })

test('GET / and the OpenAPI document list the same operations', async (t) => {
  const { ask } = await startAdminGateway(t, {})
  const { endpoints } = (await ask('/')).json as { endpoints: { method: string; path: string; summary: string }[] }
  const document = (await ask('/openapi.json')).json as unknown as Document
  assert.equal(document.openapi, '3.1.0')
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { summary }]) => `${method.toUpperCase()} ${path} ${summary}`),
  )
  const listed = endpoints.map(({ method, path, summary }) => `${method} ${path} ${summary}`)
  assert.deepEqual(listed.toSorted(), described.toSorted())
  assert.equal(document.security, undefined)
})

test('the document declares the token, and the session that it can be exchanged for, if there is one', async (t) => {
  const token = 'correct-horse-battery'
  const { ask } = await startAdminGateway(t, { admin: { token } })
  const document = (await ask('/openapi.json', { headers: { Authorization: `Bearer ${token}` } })).json
  assert.deepEqual(document['security'], [{ token: [] }, { session: [] }])
})

test('each response matches its schema in the document', async (t) => {
  const { port, ask } = await startAdminGateway(t, backend)
  const { text: refused } = await send(port)
  const { instance: correlationId } = JSON.parse(refused) as { instance: string }
  const { paths } = (await ask('/openapi.json')).json as unknown as Document
  const ajv = new Ajv2020({ strict: true })
  addFormats.default(ajv)
  const requests = {
    'GET /': {},
    'GET /status': {},
    'GET /replicas': {},
    'GET /health': {},
    'GET /routes': {},
    'GET /services': {},
    'GET /services/{name}': {},
    'GET /services/{name}/history': {},
    'GET /certificates': {},
    'PUT /services/{name}/instances/{instance}/drain': {},
    'DELETE /services/{name}/instances/{instance}/drain': {},
    'GET /requests': {},
    'GET /limits': {},
    'GET /requests/{correlationId}': {},
    'GET /limits/{client}': {},
    'DELETE /limits/{client}': {},
    'POST /explain': { json: { url: '/', as: { id: '42' } } },
    'POST /cache/purge': { json: { url: 'http://127.0.0.1/' } },
    'GET /keys': {},
    'POST /keys': { json: { id: 'new' } },
    'POST /keys/{id}/rotate': { json: {} },
    'DELETE /keys/{id}': {},
    'GET /config': {},
    'GET /config/status': {},
    'GET /log-level': {},
    'PUT /log-level': { json: { level: 'debug' } },
    'GET /openapi.json': {},
    'GET /session': {},
    'POST /logout': {},
  }
  const texts = ['GET /metrics', 'GET /events']
  // Nothing of a gateway without users.
  const ofUsers = ['POST /login', 'POST /login/oidc', 'GET /login/oidc/callback']
  // Nothing of a gateway without a configuration file.
  const ofFiles = [
    'PUT /config',
    'GET /config/text',
    ...['reload', 'plan', 'edit', 'confirm', 'rollback'].map((name) => `POST /config/${name}`),
  ]
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual([...Object.keys(requests), ...texts, ...ofUsers, ...ofFiles].toSorted(), operations.toSorted())
  const values: Record<string, string> = {
    correlationId,
    name: 'backend',
    instance: '127.0.0.1:1',
    client: '127.0.0.1',
    id: 'ci',
  }
  for (const [operation, what] of Object.entries(requests)) {
    const [method = '', path = ''] = operation.split(' ')
    const { responses } = paths[path]![method.toLowerCase()]!
    const done = Object.keys(responses).find((status) => status !== 'default')!
    for (const [status, target] of [
      [done, path.replace(/\{(\w+)\}/g, (_, name: string) => values[name]!)],
      ['default', path.replace(/\{\w+\}/g, 'nowhere')],
    ] as const) {
      if (status === 'default' && !path.includes('{')) continue
      const force = method === 'PUT' && path.includes('drain') ? '?force=true' : ''
      const answer = await ask(target + force, { method, ...what })
      const type = status === done ? 'application/json' : 'application/problem+json'
      assert.ok(answer.headers['content-type']!.startsWith(type), `${operation}: ${answer.text}`)
      const valid = ajv.compile(responses[status]!.content![type]!.schema)
      assert.ok(valid(answer.json), `${operation}: ${JSON.stringify(valid.errors)}`)
    }
  }
})

test('operations on configuration files return 409 without a file, as documented', async (t) => {
  const { ask } = await startAdminGateway(t, backend)
  const { paths } = (await ask('/openapi.json')).json as unknown as Document
  const ajv = new Ajv2020({ strict: true })
  for (const path of ['/config/reload', '/config/plan', '/config/confirm', '/config/rollback']) {
    const answer = await ask(path, { method: 'POST' })
    assert.equal(answer.status, 409)
    const valid = ajv.compile(paths[path]!['post']!.responses['default']!.content!['application/problem+json']!.schema)
    assert.ok(valid(answer.json), JSON.stringify(valid.errors))
  }
})
