/** Errors defined by a custom policy are treated like those of the gateway, wherever they appear. */
import assert from 'node:assert/strict'
import test from 'node:test'
import { Metadata, status } from '@grpc/grpc-js'
import { defineError, definePolicy, GatewayError, type GatewayInput, z } from '../src/gateway.ts'
import { explanation } from '../src/admin/explain.ts'
import { startAdminGateway } from './support/admin.ts'
import { send } from './support/client.ts'
import { startGateway } from './support/gateway.ts'
import { GrpcClient } from './support/grpc-client.ts'
import { scrape } from './support/metrics.ts'

const unknown = defineError({ code: 'tenant-unknown', status: 404, title: 'There is no such tenant' })
const moving = defineError({ code: 'tenant-moving', status: 503, title: 'The tenant is being moved', fault: 'service' })

const tenancy = definePolicy({
  name: 'tenancy',
  summary: 'Refuses everybody.',
  options: z.strictObject({ header: z.string().default('X-Tenant') }),
  runsDry: true,
  document: () => ({ refusals: [{ code: unknown, description: 'There is no tenant of that name.' }] }),
  create:
    ({ header }) =>
    () =>
    ({ headers }) => {
      const name = headers.get(header) ?? ''
      if (name !== 'many')
        throw new GatewayError(name === 'moving' ? moving : unknown, `No tenant ${JSON.stringify(name)}.`, {
          headers: [['Retry-After', '30']],
          members: { tenant: name },
        })
      throw new GatewayError(defineError({ code: `made-${headers.get('X-Code') ?? ''}`, status: 400, title: 'Made' }))
    },
})

const policies: GatewayInput['policies'] = { tenancy: {} }

const config: Omit<GatewayInput, 'admin'> = {
  policies,
  routes: [{ id: 'all', match: { path: '/*' }, reply: { body: 'hello' } }],
  endpoints: { openapi: '/openapi.json', docs: false },
}

test('clients get a problem document, browsers the page for its status, and the log its code', async (t) => {
  const { port, log } = await startGateway(
    t,
    {
      ...config,
      policies: { ...policies, 'error-pages': { '404': { body: '{title}' } } },
    },
    { policies: [tenancy] },
  )
  const reply = await send(port, { headers: { 'X-Tenant': 'acme', 'X-Correlation-ID': 'c-1' } })
  assert.equal(reply.status, 404)
  assert.equal(reply.headers['retry-after'], '30')
  const { instance: _, trace_id: _trace, ...told } = JSON.parse(reply.text) as Record<string, unknown>
  assert.deepEqual(told, {
    type: 'urn:sallyport:error:tenant-unknown',
    title: 'There is no such tenant',
    status: 404,
    detail: 'No tenant "acme".',
    tenant: 'acme',
  })
  assert.equal((await log.line({ status_code: 404 }))['code'], 'tenant-unknown')
  const page = await send(port, { headers: { Accept: 'text/html' } })
  assert.equal(page.text, 'There is no such tenant')
})

test('metrics count errors by their codes, and those beyond a hundred together', async (t) => {
  const { port } = await startGateway(t, config, { policies: [tenancy] })
  for (const name of ['acme', 'moving', 'moving']) await send(port, { headers: { 'X-Tenant': name } })
  for (let i = 0; i < 110; i++) await send(port, { headers: { 'X-Tenant': 'many', 'X-Code': `${i}` } })
  const metrics = await scrape(port)
  const counted = (code: string, fault: string): number => metrics.sum('sallyport_errors_total', { code, fault })
  assert.deepEqual([counted('tenant-unknown', 'client'), counted('tenant-moving', 'service')], [1, 2])
  assert.deepEqual([counted('made-0', 'client'), counted('made-97', 'client')], [1, 1])
  assert.deepEqual([counted('made-98', 'client'), counted('other', 'client')], [0, 12])
})

test('the document of the API has the error with an example, under its status', async (t) => {
  const routes = [{ id: 'a', match: { path: '/a', method: 'GET' }, reply: {} }]
  const { port } = await startGateway(t, { ...config, routes }, { policies: [tenancy] })
  const { paths, components } = JSON.parse((await send(port, { path: '/openapi.json' })).text) as {
    paths: Record<string, Record<string, { responses: Record<string, { $ref: string }> }>>
    components: { responses: Record<string, { description: string; content: Record<string, { example: unknown }> }> }
  }
  assert.equal(paths['/a']?.['get']?.responses['404']?.$ref, '#/components/responses/tenant-unknown')
  const { description, content } = components.responses['tenant-unknown']!
  assert.equal(description, 'There is no tenant of that name.')
  const { type, title } = content['application/problem+json']!.example as Record<string, unknown>
  assert.deepEqual([type, title], [unknown.type, unknown.title])
})

test('an explanation names the error that a policy would reply with', async (t) => {
  const { ask } = await startAdminGateway(t, config, { policies: [tenancy] })
  const { json } = await ask('/explain', { method: 'POST', json: { url: 'https://api.example.com/a' } })
  const reported = explanation.parse(json)
  assert.deepEqual([reported.status, reported.code, reported.detail], [404, 'tenant-unknown', 'No tenant "".'])
  assert.equal(reported.policies.find(({ name }) => name === 'tenancy')?.code, 'tenant-unknown')
})

test('a gRPC client gets the status that corresponds to the one in HTTP', async (t) => {
  const { port } = await startGateway(
    t,
    {
      policies,
      services: { backend: { instances: ['http://127.0.0.1:9'], http2: true, health: false } },
      routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
    },
    { policies: [tenancy] },
  )
  const metadata = (name: string): Metadata => {
    const made = new Metadata()
    made.set('x-tenant', name)
    return made
  }
  const client = new GrpcClient(t, `127.0.0.1:${port}`)
  const { status: refused } = await client.unary('/demo.Echo/Get', 'hello', metadata('acme'))
  assert.deepEqual([refused.code, refused.details], [status.NOT_FOUND, 'No tenant "acme".'])
  const { status: later } = await client.unary('/demo.Echo/Get', 'hello', metadata('moving'))
  assert.equal(later.code, status.UNAVAILABLE)
})
