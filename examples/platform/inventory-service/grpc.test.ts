import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Client, credentials, Metadata, type ServiceDefinition, status } from '@grpc/grpc-js'
import { serviceIn } from '../support/grpc.ts'
import { openInventoryDatabase } from './database.ts'
import { inventoryDefinition, startInventoryGrpc } from './grpc.ts'

const running = await startInventoryGrpc(openInventoryDatabase(), { port: 0 })
const client = new Client(new URL(running.url).host, credentials.createInsecure())
after(() => {
  client.close()
  return running.close()
})

/** What a method replies to a message. */
function call(definition: ServiceDefinition, method: string, message: object): Promise<unknown> {
  const { path, requestSerialize, responseDeserialize } = definition[method]!
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, new Metadata(), (error, reply) =>
      error === null ? resolve(reply) : reject(error),
    )
  })
}

test('the stock of a product is the same as over HTTP', async () => {
  assert.deepEqual(await call(inventoryDefinition, 'GetStock', { productId: 'teapot' }), {
    productId: 'teapot',
    available: 40,
  })
})

test('an unknown product is NOT_FOUND, and an invalid id INVALID_ARGUMENT', async () => {
  await assert.rejects(call(inventoryDefinition, 'GetStock', { productId: 'jam' }), { code: status.NOT_FOUND })
  await assert.rejects(call(inventoryDefinition, 'GetStock', {}), { code: status.INVALID_ARGUMENT })
})

test('the stock of every product is streamed', async () => {
  const { path, requestSerialize, responseDeserialize } = inventoryDefinition['ListStock']!
  const products: unknown[] = []
  const stream = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, {}, new Metadata())
  for await (const stock of stream) products.push(stock)
  assert.equal(products.length, 6)
})

test('the health service reports SERVING', async () => {
  const health = serviceIn(new URL('../support/health.proto', import.meta.url), 'grpc.health.v1.Health')
  assert.deepEqual(await call(health, 'Check', {}), { status: 'SERVING' })
})
