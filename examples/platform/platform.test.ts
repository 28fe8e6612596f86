import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { freePorts, serviceNames, startPlatform, startWhereFree } from './platform.ts'
import { ask, isObject, type JsonObject } from './support/test-client.ts'

const jwtSecret = 'a secret of at least thirty-two characters'
const platform = await startPlatform({ jwtSecret, ports: freePorts })
after(() => platform.close())

/** What exists in the seed data, so that documented paths can be asked for. */
const seeded: Readonly<Record<string, string>> = {
  users: 'user-alice',
  roles: 'user',
  orders: 'order-1001',
  'order-items': 'order-1001-1',
  products: 'teapot',
  inventory: 'teapot',
  payments: 'payment-1001',
  transactions: 'transaction-1001',
  notifications: 'notification-1001',
  email: 'mail-1001',
}

interface Operation {
  readonly path: string
  readonly method: string
  readonly docs: JsonObject
}

test('both instances of a service serve the same data', async () => {
  const [first = '', second = ''] = platform.instances['user-service'].map(({ url }) => url)
  const json = { email: 'hare@example.com', name: 'March Hare', password: 'correct horse' }
  assert.equal((await ask(first, '/api/v1/auth/register', { json })).status, 201)
  assert.equal(
    (await ask(second, '/api/v1/auth/login', { json: { email: json.email, password: json.password } })).status,
    200,
  )
})

test('if a port is taken, the platform starts on free ones, and says which port is taken', async () => {
  const [{ url } = { url: '' }] = platform.instances['payment-service']
  const taken = Number(new URL(url).port)
  const reported: string[] = []
  const other = await startWhereFree({ jwtSecret, ports: { ...freePorts, 'payment-service': [taken] } }, (words) =>
    reported.push(words),
  )
  after(() => other.close())
  const [{ url: moved } = { url: '' }] = other.instances['payment-service']
  assert.notEqual(moved, url)
  assert.equal((await ask(moved, '/health')).status, 200)
  assert.deepEqual(reported, [`Port ${taken} on 127.0.0.1 is taken`])
})

test('the instances have the names that X-Instance shows', async () => {
  const all = serviceNames.flatMap((name) => platform.instances[name])
  const answers = await Promise.all(all.map(({ url }) => ask(url, '/health')))
  assert.deepEqual(
    answers.map(({ headers }) => headers.get('x-instance')),
    all.map(({ instance }) => instance),
  )
  assert.deepEqual(
    platform.instances['order-service'].map(({ instance }) => instance),
    ['order-service-1', 'order-service-2'],
  )
})

test('an order takes from the stock that every inventory instance shows', async () => {
  const json = { items: [{ productId: 'cup', quantity: 3 }] }
  const [order] = platform.instances['order-service']
  assert.equal((await ask(order?.url ?? '', '/api/v1/orders', { as: 'user-alice', json })).status, 201)
  const levels = await Promise.all(
    platform.instances['inventory-service'].map(({ url }) => ask(url, '/api/v1/inventory/cup')),
  )
  assert.deepEqual(
    levels.map(({ json: level }) => level['available']),
    [37, 37],
  )
})

const documents = await Promise.all(
  serviceNames.map(async (name) => {
    const url = platform.instances[name][0]?.url ?? ''
    return { name, url, document: (await ask(url, '/openapi.json')).json }
  }),
)

for (const { name, url, document } of documents) {
  const operations = operationsOf(document)

  test(`${name} supports exactly the methods that its OpenAPI document lists`, async () => {
    assert.equal(document['openapi'], '3.1.0')
    assert.ok(operations.length >= 6)
    const byPath = Map.groupBy(operations, ({ path }) => path)
    const possible = await Promise.all([...byPath.keys()].map((path) => methodsOf(url, concrete(path))))
    const documented = [...byPath.values()].map((here) => here.map(({ method }) => method).toSorted())
    assert.deepEqual(possible, documented)
  })

  test(`${name} answers every documented operation with a documented status`, async () => {
    const removals = operations.filter(({ method }) => method === 'DELETE')
    for (const operation of [...operations.filter(({ method }) => method !== 'DELETE'), ...removals]) {
      const where = `${operation.method} ${operation.path}`
      const answer = await ask(url, concrete(operation.path), {
        method: operation.method,
        as: 'user-admin',
        ...example(operation),
      })
      const responses = operation.docs['responses']
      assert.ok(isObject(responses) && String(answer.status) in responses, `${where} answers ${answer.status}`)
      assert.ok(
        ![401, 403, 405, 415, 422].includes(answer.status) || where.endsWith('refresh'),
        `${where} answers ${answer.status}`,
      )
    }
  })

  test(`${name} has unique operation ids, and no references to missing schemas`, () => {
    const ids = operations.map(({ docs }) => docs['operationId'])
    assert.equal(new Set(ids).size, ids.length)
    const text = JSON.stringify(document)
    const { components } = document
    assert.ok(isObject(components) && isObject(components['schemas']))
    for (const [, schema = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      assert.ok(schema in components['schemas'], schema)
    }
  })
}

test('starting on a port that is taken rejects and names the port', async () => {
  const port = Number(new URL(platform.instances['payment-service'][0]?.url ?? '').port)
  const ports = { ...freePorts, 'notification-service': [port] }
  await assert.rejects(startPlatform({ jwtSecret, ports }), { code: 'EADDRINUSE', port })
})

async function methodsOf(url: string, path: string): Promise<string[]> {
  const { status, headers } = await ask(url, path, { method: 'OPTIONS' })
  assert.equal(status, 405, path)
  const allow = (headers.get('allow') ?? '').split(', ')
  return allow.filter((method) => method !== 'HEAD').toSorted()
}

function operationsOf(document: JsonObject): Operation[] {
  const { paths } = document
  assert.ok(isObject(paths))
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(isObject(item) ? item : {}).flatMap(([method, docs]) =>
      isObject(docs) ? [{ path, method: method.toUpperCase(), docs }] : [],
    ),
  )
}

function concrete(path: string): string {
  const seed = path.includes('reservations') ? 'none' : (seeded[path.split('/')[3] ?? ''] ?? 'none')
  return path.replace(/\{\w+\}/, seed)
}

function example({ docs }: Operation): { body: string; headers: Record<string, string> } | undefined {
  const { requestBody } = docs
  if (!isObject(requestBody) || !isObject(requestBody['content'])) return undefined
  const [[type, media] = ['', {}]] = Object.entries(requestBody['content'])
  assert.ok(isObject(media) && isObject(media['example']))
  const body = type.endsWith('json')
    ? JSON.stringify(media['example'])
    : new URLSearchParams(Object.entries(media['example']).map(([key, value]) => [key, String(value)])).toString()
  return { body, headers: { 'Content-Type': type } }
}
