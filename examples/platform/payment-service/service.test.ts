import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Answer, ask, objectsIn, textIn } from '../support/test-client.ts'
import { createPaymentService } from './service.ts'

const jwtSecret = 'a secret of at least thirty-two characters'
const instance = await createPaymentService({ instance: 'payment-1', port: 0, jwtSecret })
const { url } = instance
after(() => instance.close())

/** The owner, an admin, and another user. */
const callers = ['user-alice', 'user-admin', 'order-service'] as const
const payment = { orderId: 'order-7', amountCents: 1250, currency: 'EUR', method: 'card' }

test('a payment moves money once, and a refund moves it back once', async () => {
  const paid = await ask(url, '/api/v1/payments', { as: 'user-alice', json: payment })
  assert.equal(paid.status, 201)
  assert.equal(paid.json['status'], 'succeeded')
  const id = textIn(paid.json, 'id')
  assert.equal(paid.headers.get('location'), `/api/v1/payments/${id}`)
  const refund = `/api/v1/payments/${id}/refund`
  assert.equal((await ask(url, refund, { method: 'POST', as: 'user-alice' })).status, 403)
  assert.equal((await ask(url, refund, { method: 'POST', as: 'user-admin' })).json['status'], 'refunded')
  assert.equal((await ask(url, refund, { method: 'POST', as: 'user-admin' })).status, 409)
  const { json } = await ask(url, `/api/v1/transactions?paymentId=${id}`, { as: 'user-alice' })
  const amounts = objectsIn(json, 'items').map((each) => Number(each['amountCents']))
  assert.deepEqual(
    amounts.toSorted((a, b) => a - b),
    [-1250, 1250],
  )
})

test('the same Idempotency-Key pays only once', async () => {
  const first = await pay(payment)
  const second = await pay(payment)
  assert.deepEqual([first.status, second.status], [201, 200])
  assert.deepEqual(second.json, first.json)
  assert.equal((await pay({ ...payment, amountCents: 1 })).status, 422)
  assert.equal((await pay(payment, 'user-admin')).status, 201)
})

test('payments and transactions are visible to their user and to admins', async () => {
  assert.equal((await ask(url, '/api/v1/payments')).status, 401)
  assert.deepEqual(await statuses('/api/v1/payments/payment-1001'), [200, 200, 404])
  assert.deepEqual(await statuses('/api/v1/transactions/transaction-1001'), [200, 200, 404])
  assert.equal((await ask(url, '/api/v1/payments', { as: 'order-service' })).json['total'], 0)
  assert.equal((await ask(url, '/api/v1/payments?orderId=order-1001', { as: 'user-alice' })).json['total'], 1)
})

test('an amount of zero and an unknown method are 422', async () => {
  const json = { ...payment, amountCents: 0, method: 'shells' }
  const answer = await ask(url, '/api/v1/payments', { as: 'user-alice', json })
  assert.equal(answer.status, 422)
  assert.deepEqual(
    objectsIn(answer.json, 'errors').map((error) => error['pointer']),
    ['#/amountCents', '#/method'],
  )
})

function pay(json: object, as: 'user-alice' | 'user-admin' = 'user-alice'): Promise<Answer> {
  return ask(url, '/api/v1/payments', { as, json, headers: { 'Idempotency-Key': 'key-1' } })
}

async function statuses(path: string): Promise<number[]> {
  const answers = await Promise.all(callers.map((as) => ask(url, path, { as })))
  return answers.map(({ status }) => status)
}
