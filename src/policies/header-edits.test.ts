import assert from 'node:assert/strict'
import test from 'node:test'
import { makeExchange } from '../../test/support/exchange.ts'
import { applyPolicy } from '../../test/support/policy.ts'
import { GatewayError } from '../core/errors.ts'
import { Headers } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { headerEdits } from './header-edits.ts'
import { requestHeaders } from './request-headers.ts'
import { responseHeaders } from './response-headers.ts'

/** What the service receives of the fields sent, with these options. */
function forwarded(
  options: Parameters<typeof headerEdits.parse>[0],
  sent: Parameters<typeof Headers.of>[0],
  parts = {},
) {
  let received: string[][] = []
  const exchange = makeExchange({ headers: Headers.of(sent), ...parts })
  const next = () => {
    received = [...exchange.headers]
    return new Reply(200, Headers.of(), null)
  }
  void applyPolicy(requestHeaders, headerEdits.parse(options), next)(exchange)
  return received
}

test('set replaces all headers of that name', () => {
  assert.deepEqual(
    forwarded({ set: { 'X-Mode': '{method}' } }, [
      ['x-mode', 'a'],
      ['Accept', '*/*'],
      ['X-MODE', 'b'],
    ]),
    [
      ['Accept', '*/*'],
      ['X-Mode', 'GET'],
    ],
  )
})

test('headers that a service could confuse with a set or removed one are removed', () => {
  assert.deepEqual(
    forwarded({ set: { 'X-Tenant-ID': '{consumer.id}' }, remove: ['X-Debug-Mode'] }, [
      ['X_Tenant_ID', 'another'],
      ['x-tenant_id', 'another'],
      ['X_DEBUG_MODE', '1'],
      ['X_Tenant_IDs', '1'],
    ]),
    [['X_Tenant_IDs', '1']],
  )
})

test('add keeps headers of the same name', () => {
  assert.deepEqual(forwarded({ add: { Via: '1.1 gateway' } }, [['Via', '1.0 other']]), [
    ['Via', '1.0 other'],
    ['Via', '1.1 gateway'],
  ])
})

test('remove removes all headers of that name', () => {
  const sent = [
    ['Cookie', 'a=1'],
    ['Accept', '*/*'],
    ['cookie', 'b=2'],
  ] as const
  assert.deepEqual(forwarded({ remove: ['COOKIE'] }, sent), [['Accept', '*/*']])
})

test('a header with an empty value is removed, so a client cannot forge it', () => {
  const options = { set: { 'X-User-ID': '{consumer.id}' }, add: { 'X-Tier': '{consumer.tier}' } }
  assert.deepEqual(forwarded(options, [['X-User-ID', 'admin']]), [])
  const consumer = { id: 'u-1', roles: [], tier: 'gold', scopes: [], key: null }
  assert.deepEqual(forwarded(options, [['X-User-ID', 'admin']], { consumer }), [
    ['X-User-ID', 'u-1'],
    ['X-Tier', 'gold'],
  ])
})

test('a header can use the value of one that is removed', () => {
  const options = { set: { 'X-New': '{header.X-Old}' }, remove: ['X-Old'] }
  assert.deepEqual(forwarded(options, [['X-Old', '7']]), [['X-New', '7']])
})

test('whitespace around a value is trimmed', () => {
  assert.deepEqual(forwarded({ set: { 'X-Id': ' {path.id} ' } }, [], { params: { id: ' 7 ' } }), [['X-Id', '7']])
})

test('response headers are set on replies', async () => {
  const reply = await applyPolicy(
    responseHeaders,
    { set: { 'X-Frame-Options': 'DENY', 'X-Route': '{route.id}' }, remove: ['Server'] },
    () => Promise.resolve(new Reply(200, Headers.of([['Server', 'secret/1.0']]), null)),
  )(makeExchange())
  assert.deepEqual(
    [...reply.headers],
    [
      ['X-Frame-Options', 'DENY'],
      ['X-Route', 'users'],
    ],
  )
})

test('response headers are set on error replies too', async () => {
  const reply = await applyPolicy(responseHeaders, { set: { 'X-Frame-Options': 'DENY' } }, () => {
    throw new GatewayError('not-found')
  })(makeExchange())
  assert.equal(reply.status, 404)
  assert.equal(reply.headers.get('X-Frame-Options'), 'DENY')
})

for (const name of [
  'Connection',
  'content-length',
  'Transfer-Encoding',
  'TE',
  'Trailer',
  'Upgrade',
  'Keep-Alive',
  'Proxy-Authenticate',
  'Proxy-Connection',
  'HTTP2-Settings',
])
  test(`the header ${name} is rejected, as it belongs to the wire`, () => {
    for (const options of [{ set: { [name]: 'x' } }, { add: { [name]: 'x' } }, { remove: [name] }]) {
      const issue = headerEdits.safeParse(options).error?.issues[0]
      assert.equal(
        issue?.message,
        `"${name}" belongs to the connection and the framing of messages; the gateway sets it itself`,
      )
    }
  })

test('a variable of nginx in a value is a warning', () => {
  const options = requestHeaders.options.parse({
    set: { 'X-Real-IP': '$remote_addr', 'X-Price': '$5', 'X-User': '{consumer.id}' },
  })
  assert.deepEqual(requestHeaders.warnings?.(options, []), [
    {
      path: ['set', 'X-Real-IP'],
      message: '"$remote_addr" stands for itself here: templates are written as in {client.address}',
    },
  ])
})

test('the header Host is rejected with where to set it instead', () => {
  const issue = headerEdits.safeParse({ set: { Host: 'x' } }).error?.issues[0]
  assert.match(issue?.message ?? '', /itself, as "host" of the service or "rewrite\.host" of the route says$/)
})

for (const name of ['', 'X Y', 'X:', 'X\r\nY', '\u00dcber'])
  test(`the name ${JSON.stringify(name)} is rejected`, () => {
    for (const options of [{ set: { [name]: 'x' } }, { add: { [name]: 'x' } }, { remove: [name] }])
      assert.match(headerEdits.safeParse(options).error?.issues[0]?.message ?? '', /is not a header name/)
  })

test('an invalid template is reported at its header', () => {
  const issue = headerEdits.safeParse({ set: { 'X-A': '{nope}' } }).error?.issues[0]
  assert.deepEqual(issue?.path, ['set', 'X-A'])
  assert.match(issue.message, /^unknown placeholder \{nope\}/)
})

test('an unknown key is rejected', () => {
  assert.ok(!headerEdits.safeParse({ append: {} }).success)
})
