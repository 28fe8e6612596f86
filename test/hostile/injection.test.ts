import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { startGateway } from '../support/gateway.ts'
import { connect } from '../support/peer.ts'
import { startRecorder } from './recorder.ts'
import { forwarded, request } from './request-case.ts'

/** CR LF and a field for code that keeps only the low byte of each character: U+010D U+010A "X-Evil:1". */
const WIDE_SPLIT = '%C4%8D%C4%8AX-Evil:1'
/** U+2028, a line break to some, and a lone "(" for code that keeps its low byte. */
const LINE_SEPARATOR = '%E2%80%A8'

interface InjectionCase {
  readonly name: string
  readonly target: string
  readonly fields?: readonly string[]
  /** The request as the service receives it; null if the service must not receive it. */
  readonly service: string | null
  readonly status: number
  /** Fields of the reply. */
  readonly reply?: Readonly<Record<string, string>>
}

const injectionCases: readonly InjectionCase[] = [
  {
    name: 'CR LF in a query value that is set as a request header',
    target: '/query?q=a%0d%0aX-Evil:%201%0d%0a%0d%0aGET%20/%20HTTP/1.1',
    service: forwarded('GET /query?q=a%0d%0aX-Evil:%201%0d%0a%0d%0aGET%20/%20HTTP/1.1', {
      fields: ['X-Query: a%0D%0AX-Evil: 1%0D%0A%0D%0AGET / HTTP/1.1'],
    }),
    status: 200,
    reply: { 'x-query': 'a%0D%0AX-Evil: 1%0D%0A%0D%0AGET / HTTP/1.1' },
  },
  {
    name: 'characters in a query value whose low bytes are CR LF',
    target: `/query?q=${WIDE_SPLIT}`,
    service: forwarded(`GET /query?q=${WIDE_SPLIT}`, { fields: ['X-Query: %C4%8D%C4%8AX-Evil:1'] }),
    status: 200,
    reply: { 'x-query': '%C4%8D%C4%8AX-Evil:1' },
  },
  {
    name: 'a line separator, NUL and an escape in a query value',
    target: `/query?q=${LINE_SEPARATOR}%00%1b`,
    service: forwarded(`GET /query?q=${LINE_SEPARATOR}%00%1b`, { fields: ['X-Query: %E2%80%A8%00%1B'] }),
    status: 200,
    reply: { 'x-query': '%E2%80%A8%00%1B' },
  },
  {
    name: 'an unpaired surrogate in a query value',
    target: '/query?q=%ed%a0%80a',
    service: forwarded('GET /query?q=%ed%a0%80a', { fields: ['X-Query: %EF%BF%BD%EF%BF%BD%EF%BF%BDa'] }),
    status: 200,
  },
  { name: 'CR LF in a path parameter', target: '/param/a%0d%0aX-Evil:1', service: null, status: 400 },
  { name: 'NUL in a path parameter', target: '/param/a%00', service: null, status: 400 },
  {
    name: 'characters in a path parameter whose low bytes are CR LF',
    target: `/param/a${WIDE_SPLIT}`,
    service: forwarded(`GET /param/a${WIDE_SPLIT}`, { fields: ['X-Param: a%C4%8D%C4%8AX-Evil:1'] }),
    status: 200,
    reply: { 'x-param': 'a%C4%8D%C4%8AX-Evil:1' },
  },
  {
    name: 'double escapes in a path parameter are decoded once',
    target: '/param/a%250d%250a',
    service: forwarded('GET /param/a%250d%250a', { fields: ['X-Param: a%0d%0a'] }),
    status: 200,
    reply: { 'x-param': 'a%0d%0a' },
  },
  {
    name: 'a slash in a path parameter stays in its segment',
    target: '/param/a%2f..%2fadmin',
    service: null,
    status: 400,
  },
  {
    name: 'the bytes of a request header are forwarded unchanged',
    target: '/header',
    fields: ['X-In: a\xe9\tb', 'X-In:  c '],
    service: forwarded('GET /header', { fields: ['X-In: a\xe9\tb', 'X-In: c', 'X-Out: a\xe9\tb, c'] }),
    status: 200,
    reply: { 'x-out': 'a\xe9\tb, c' },
  },
  {
    name: 'a header set by the gateway replaces that of the client, even if it has no value',
    target: '/query',
    fields: ['x-query: forged', 'X-QUERY: twice'],
    service: forwarded('GET /query'),
    status: 200,
  },
  {
    name: 'a rewritten path keeps exactly one leading slash',
    target: '/strip//evil.example/a',
    service: forwarded('GET /evil.example/a', { last: ['X-Forwarded-Prefix: /strip'] }),
    status: 200,
  },
  {
    name: 'an escaped slash after a stripped prefix',
    target: '/strip/%2fevil.example/a',
    service: null,
    status: 400,
  },
  { name: 'dots after a stripped prefix', target: '/strip/%2e%2e/%2e%2e/admin', service: null, status: 400 },
  { name: 'dots that leave the prefix', target: '/strip/../admin', service: null, status: 404 },
  { name: 'CR LF after a stripped prefix', target: '/strip/%0d%0aHost:b', service: null, status: 400 },
  { name: 'a path that only starts like the prefix', target: '/stripped', service: null, status: 404 },
  {
    name: 'a redirect goes where the configuration says',
    target: '/redirect//evil.example/%C4%8D%C4%8A?to=http://evil.example/',
    service: null,
    status: 307,
    reply: { location: '/new?to=http://evil.example/' },
  },
  {
    name: 'a method that looks like a request',
    target: '/method',
    service: forwarded('GET /method', { fields: ['X-Method: GET /method a 127.0.0.1 http'] }),
    status: 200,
  },
]

async function setUp(t: TestContext) {
  const recorder = await startRecorder(t)
  const both = (name: string, value: string) => ({
    'request-headers': { set: { [name]: value } },
    'response-headers': { set: { [name]: value } },
  })
  const service = 'backend'
  const { port } = await startGateway(t, {
    services: { backend: { instances: [recorder.url], health: false } },
    routes: [
      { id: 'query', match: { path: '/query' }, service, policies: both('X-Query', '{query.q}') },
      { id: 'param', match: { path: '/param/{id}' }, service, policies: both('X-Param', '{path.id}') },
      { id: 'header', match: { path: '/header' }, service, policies: both('X-Out', '{header.X-In}') },
      {
        id: 'method',
        match: { path: '/method' },
        service,
        policies: both('X-Method', '{method} {path} {host} {client.address} {client.scheme}'),
      },
      { id: 'strip', match: { path: '/strip/*' }, service, rewrite: { strip: '/strip' } },
      { id: 'redirect', match: { path: '/redirect/*' }, redirect: { to: '/new' } },
    ],
  })
  return { recorder, port }
}

test('no value in a request can split a message', async (t) => {
  const { recorder, port } = await setUp(t)
  for (const { name, target, fields = [], service, status, reply = {} } of injectionCases) {
    await t.test(name, async (inner) => {
      recorder.reset()
      const client = await connect(inner, port)
      client.write(request(`GET ${target}`, fields))
      const answer = await client.reply()
      assert.match(answer.start, new RegExp(`^HTTP/1\\.1 ${status} `))
      for (const [field, value] of Object.entries(reply)) assert.equal(answer.fields.get(field), value)
      assert.ok(!answer.fields.names.includes('x-evil'))
      client.write(request('GET /method'))
      await client.reply()
      const good = forwarded('GET /method', { fields: ['X-Method: GET /method a 127.0.0.1 http'] })
      assert.equal(recorder.bytes, (service ?? '') + good)
    })
  }
})

test('a correlation id of a client is only kept if it is harmless', async (t) => {
  const recorder = await startRecorder(t)
  const { port } = await startGateway(t, {
    services: { backend: { instances: [recorder.url], health: false } },
    policies: { 'correlation-id': {} },
    routes: [{ id: 'all', match: { path: '/*' }, service: 'backend' }],
  })
  const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/
  const made = [
    '',
    'a b',
    '<script>',
    'a"b',
    'a\\b',
    'a\xe9',
    "a'b",
    'a;b',
    'a\tb',
    'x'.repeat(129),
    '../a',
    '${jndi:ldap://x}',
  ]
  for (const id of made) {
    recorder.reset()
    const client = await connect(t, port)
    client.write(request('GET /', [`X-Correlation-ID: ${id}`, 'x_correlation_id: other']))
    const answered = (await client.reply()).fields.get('X-Correlation-ID') ?? ''
    assert.match(answered, uuid, id)
    assert.ok(recorder.bytes.includes(`X-Correlation-ID: ${answered}\r\n`))
    assert.ok(id === '' || !recorder.bytes.includes(`: ${id}\r\n`))
  }
})
