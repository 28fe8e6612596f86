import assert from 'node:assert/strict'
import test from 'node:test'
import type { z } from 'zod'
import { makeExchange } from '../../test/support/exchange.ts'
import { applyPolicy } from '../../test/support/policy.ts'
import { GatewayError } from '../core/errors.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { ipAccess } from './ip-access.ts'

type Options = z.input<typeof ipAccess.options>

interface SingleRequest {
  readonly proxied?: boolean
  readonly headers?: readonly (readonly [string, string])[]
}

/** Whether a client of that address is let in, and the fields that go on. */
async function ask(options: Options, address: string, { proxied = false, headers = [] }: SingleRequest = {}) {
  let passed: (readonly [string, string])[] | null = null
  const handle = applyPolicy(ipAccess, options, (exchange) => {
    passed = [...exchange.headers]
    return new Reply(200, Headers.of(), null)
  })
  const client = { ...makeExchange().client, address, proxied }
  try {
    await handle(makeExchange({ client, headers: Headers.of(headers) }))
  } catch (error) {
    assert.ok(error instanceof GatewayError)
    assert.equal(error.code, 'forbidden')
    assert.doesNotMatch(error.message, /\d/, 'it does not disclose the lists')
    return null
  }
  return passed
}

async function isLetIn(...asked: Parameters<typeof ask>): Promise<boolean> {
  return (await ask(...asked)) !== null
}

const countries = { header: 'CF-IPCountry', allow: ['de', 'AT'] }
const from = (code: string): SingleRequest => ({ proxied: true, headers: [['CF-IPCountry', code]] })

test('with allow all others are rejected', async () => {
  const options = { allow: ['10.0.0.0/8', '2001:db8::/32'] }
  assert.ok(await isLetIn(options, '10.1.2.3'))
  assert.ok(await isLetIn(options, '2001:db8::1'))
  assert.ok(!(await isLetIn(options, '192.0.2.1')))
  assert.ok(!(await isLetIn({ allow: [] }, '10.1.2.3')), 'an empty list denies everybody')
})

test('with deny all others are accepted', async () => {
  const options = { deny: ['192.0.2.0/24'] }
  assert.ok(!(await isLetIn(options, '192.0.2.1')))
  assert.ok(!(await isLetIn(options, '::ffff:192.0.2.1')))
  assert.ok(await isLetIn(options, '10.1.2.3'))
})

test('deny takes precedence over allow', async () => {
  const options = { allow: ['10.0.0.0/8'], deny: ['10.0.0.66'] }
  assert.ok(await isLetIn(options, '10.0.0.65'))
  assert.ok(!(await isLetIn(options, '10.0.0.66')))
})

test('the country decides for addresses in neither list', async () => {
  const options = { allow: ['10.0.0.0/8'], deny: ['192.0.2.0/24'], countries }
  assert.ok(await isLetIn(options, '198.51.100.1', from('DE')))
  assert.ok(await isLetIn(options, '198.51.100.1', from('at')))
  assert.ok(!(await isLetIn(options, '198.51.100.1', from('FR'))))
  assert.ok(!(await isLetIn(options, '192.0.2.1', from('DE'))))
  assert.ok(await isLetIn(options, '10.0.0.1', from('FR')))
})

test('denied countries do not affect others', async () => {
  const options = { countries: { header: 'CF-IPCountry', deny: ['T1', 'XX'] } }
  assert.ok(await isLetIn(options, '198.51.100.1', from('FR')))
  assert.ok(!(await isLetIn(options, '198.51.100.1', from('T1'))))
})

test('a country is only accepted from a trusted proxy, and not forwarded from others', async () => {
  const field = ['CF-IPCountry', 'DE'] as const
  const options = { allow: ['10.0.0.0/8'], countries }
  assert.equal(await ask(options, '198.51.100.1', { headers: [field] }), null)
  assert.deepEqual(await ask(options, '10.0.0.1', { headers: [field] }), [])
  assert.deepEqual(await ask(options, '10.0.0.1', { proxied: true, headers: [field] }), [['CF-IPCountry', 'DE']])
})

test('a request without exactly one country is rejected, even with only deny', async () => {
  for (const option of [countries, { header: 'CF-IPCountry', deny: ['FR'] }]) {
    assert.ok(!(await isLetIn({ countries: option }, '198.51.100.1', { proxied: true })))
    assert.ok(!(await isLetIn({ countries: option }, '198.51.100.1', from(''))))
    assert.ok(!(await isLetIn({ countries: option }, '198.51.100.1', from('DE, FR'))))
    const twice = {
      proxied: true,
      headers: [
        ['CF-IPCountry', 'DE'],
        ['CF-IPCountry', 'DE'],
      ],
    } as const
    assert.ok(!(await isLetIn({ countries: option }, '198.51.100.1', twice)))
  }
})

test('options that accept everybody or have no country lists are rejected', () => {
  for (const options of [
    {},
    { countries: { header: 'CF-IPCountry' } },
    { allow: ['10.0.0.0/33'] },
    { deny: ['example.com'] },
  ])
    assert.ok(!ipAccess.options.safeParse(options).success)
})
