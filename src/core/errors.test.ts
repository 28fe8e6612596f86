import assert from 'node:assert/strict'
import test from 'node:test'
import { defineError, errorKinds, GatewayError } from './errors.ts'

const tenant = { code: 'tenant-unknown', status: 404, title: 'There is no such tenant' }

test('a defined error has a type of its own, and a fault that follows from its status', () => {
  const kind = defineError(tenant)
  assert.deepEqual(kind, { ...tenant, fault: 'client', type: 'urn:sallyport:error:tenant-unknown' })
  assert.equal(defineError({ ...tenant, status: 503 }).fault, 'gateway')
  assert.equal(defineError({ ...tenant, status: 503, fault: 'service' }).fault, 'service')
  assert.equal(defineError({ ...tenant, type: 'https://example.com/tenant' }).type, 'https://example.com/tenant')
})

test('an error is thrown by its kind, with all that errors of the gateway may have', () => {
  const kind = defineError(tenant)
  const headers = [['Retry-After', '30']] as const
  const error = new GatewayError(kind, 'There is no tenant acme.', { headers, members: { tenant: 'acme' } })
  assert.equal(error.kind, kind)
  assert.deepEqual(
    [error.code, error.status, error.fault, error.title],
    ['tenant-unknown', 404, 'client', tenant.title],
  )
  assert.deepEqual([error.message, error.headers, error.members], [error.detail, headers, { tenant: 'acme' }])
  assert.equal(new GatewayError(kind).message, tenant.title)
})

test('an error of the gateway is thrown by its code or by its kind', () => {
  for (const kind of errorKinds()) assert.equal(new GatewayError(kind).kind, kind)
})

test('a definition again, as in a file that is loaded again, is no conflict', () => {
  assert.notEqual(defineError(tenant), defineError({ ...tenant, status: 410 }))
})

test('a definition that clients or logs could not use is refused at once, with the reason', () => {
  for (const { code } of errorKinds())
    assert.throws(() => defineError({ ...tenant, code }), { message: /is one of the gateway's own/ })
  for (const code of ['', 'Tenant', 'tenant_unknown', '-a', 'a-', 'a b', '1', 'x'.repeat(65)])
    assert.throws(() => defineError({ ...tenant, code }), { name: 'TypeError', message: /is malformed/ }, code)
  for (const status of [200, 302, 399, 600, 404.5, Number.NaN])
    assert.throws(() => defineError({ ...tenant, status }), { name: 'RangeError', message: /from 400 to 599/ })
  assert.throws(() => defineError({ ...tenant, title: '' }), /"tenant-unknown" has no title/)
  assert.throws(() => defineError({ ...tenant, type: 'tenant' }), /expected an absolute URI/)
  // @ts-expect-error -- nobody's fault
  assert.throws(() => defineError({ ...tenant, fault: 'nobody' }), /expected client, service or gateway/)
})

test('what was not defined cannot be thrown', () => {
  assert.throws(() => new GatewayError({ ...defineError(tenant) }), /define it with defineError/)
  // @ts-expect-error -- no code of the gateway
  assert.throws(() => new GatewayError('tenant-unknown'), /there is no error "tenant-unknown"; define it/)
})
