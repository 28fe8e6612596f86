import assert from 'node:assert/strict'
import test from 'node:test'
import { CollectingSink, PartsBody, PushedBody } from '../../../test/support/bodies.ts'
import { makeExchange } from '../../../test/support/exchange.ts'
import { grpcFrame } from '../../../test/support/grpc-frames.ts'
import { applyPolicy } from '../../../test/support/policy.ts'
import { type Body, Bytes, isStream } from '../../http/body.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import type { Handler } from '../../http/handler.ts'
import { Headers } from '../../http/headers.ts'
import { Reply } from '../../http/reply.ts'
import { grpcWeb } from './policy.ts'

type Fields = Readonly<Record<string, string>>

function makeCall(fields: Fields = {}, body: Body = null): Exchange {
  const headers = Headers.of(
    Object.entries({ 'Content-Type': 'application/grpc-web+proto', 'X-Grpc-Web': '1', ...fields }),
  )
  return makeExchange({ method: 'POST', headers, body })
}

function grpcReply(fields: Fields, body: Body): Reply {
  return new Reply(200, Headers.of(Object.entries({ 'content-type': 'application/grpc', ...fields })), body)
}

async function run(exchange: Exchange, next: Handler): Promise<Reply> {
  return applyPolicy(grpcWeb, {}, next)(exchange)
}

/** One character a byte. */
function contentOf(body: Body): string {
  if (!isStream(body)) return body?.toLatin1() ?? ''
  const sink = new CollectingSink()
  body.pipe(sink)
  assert.ok(sink.ended)
  assert.equal(sink.trailers, null)
  return sink.text
}

/** A frame with trailers. */
function trailersFrame(lines: string): string {
  const frame = grpcFrame(lines)
  frame[0] = 0x80
  return frame.toString('latin1')
}

const MESSAGE = grpcFrame('hello').toString('latin1')
const OK = Headers.of([
  ['Grpc-Status', '0'],
  ['X-Count-Bin', 'AQI='],
])

test('the service gets a gRPC call, and the exchange is restored with the reply', async () => {
  const exchange = makeCall({
    'Grpc-Timeout': '5S',
    'X-User-Agent': 'grpc-web-javascript/0.1',
    Accept: 'application/grpc-web',
  })
  let seen = ''
  await run(exchange, (inner) => {
    assert.equal(inner.grpc?.deadline, 5_000)
    seen = inner.headers.toWire()
    return grpcReply({}, new PartsBody([], false, OK))
  })
  assert.equal(seen, 'Content-Type: application/grpc+proto\r\nX-User-Agent: grpc-web-javascript/0.1\r\n')
  assert.equal(exchange.headers.get('Content-Type'), 'application/grpc-web+proto')
  assert.ok(exchange.grpc !== null)
})

test('messages are forwarded unchanged, with the trailers as the last frame', async () => {
  const reply = await run(makeCall(), () => grpcReply({ 'X-Head': '1' }, new PartsBody([MESSAGE, MESSAGE], false, OK)))
  assert.equal(reply.headers.toWire(), 'Content-Type: application/grpc-web+proto\r\nX-Head: 1\r\n')
  assert.equal(contentOf(reply.body), `${MESSAGE}${MESSAGE}${trailersFrame('grpc-status: 0\r\nx-count-bin: AQI=\r\n')}`)
})

test('in text format each piece is separate base64, so that messages are not delayed', async () => {
  const source = new PushedBody(-1)
  const reply = await run(makeCall({ 'Content-Type': 'application/grpc-web-text' }), () => grpcReply({}, source))
  assert.equal(reply.headers.get('Content-Type'), 'application/grpc-web-text+proto')
  const sink = new CollectingSink()
  assert.ok(isStream(reply.body))
  reply.body.pipe(sink)
  source.push(MESSAGE)
  assert.equal(sink.text, Buffer.from(MESSAGE, 'latin1').toString('base64'))
  source.end(OK)
  const [, trailers = ''] = /==(.+)$/.exec(sink.text) ?? []
  assert.equal(
    Buffer.from(trailers, 'base64').toString('latin1'),
    trailersFrame('grpc-status: 0\r\nx-count-bin: AQI=\r\n'),
  )
})

for (const [what, body] of [
  ['in memory', Bytes.fromText(Buffer.from(MESSAGE, 'latin1').toString('base64'))],
  ['streamed', new PartsBody(['AAAA', 'AAVo', 'ZWxsbw=', '='], false, null)],
] as const)
  test(`a request in text that is ${what} becomes bytes`, async () => {
    let seen = ''
    await run(makeCall({ 'Content-Type': 'application/grpc-web-text+proto' }, body), (inner) => {
      seen = contentOf(inner.body)
      return grpcReply({ 'grpc-status': '0' }, null)
    })
    assert.equal(seen, MESSAGE)
  })

test('a text request with invalid base64 is rejected', async () => {
  const exchange = makeCall({ 'Content-Type': 'application/grpc-web-text' }, Bytes.fromText('AAA!'))
  await run(exchange, (inner) => {
    assert.equal(inner.refusal?.code, 'bad-request')
    return grpcReply({ 'grpc-status': '3' }, null)
  })
})

test('an invalid grpc-timeout is rejected', async () => {
  await run(makeCall({ 'Grpc-Timeout': 'soon' }), (inner) => {
    assert.equal(inner.refusal?.code, 'bad-request')
    return grpcReply({ 'grpc-status': '3' }, null)
  })
})

test('a reply that ends within a message is cut off: its trailers would look like the rest of the message', async () => {
  for (const type of ['application/grpc-web', 'application/grpc-web-text']) {
    const parts = [MESSAGE, MESSAGE.slice(0, -1)]
    const reply = await run(makeCall({ 'Content-Type': type }), () => grpcReply({}, new PartsBody(parts, false, OK)))
    const sink = new CollectingSink()
    assert.ok(isStream(reply.body))
    reply.body.pipe(sink)
    assert.ok(sink.error instanceof GatewayError)
    assert.equal(sink.error.code, 'bad-gateway')
  }
})

test('a trailers-only reply has its status in the headers', async () => {
  const source = new PushedBody(0)
  const reply = await run(makeCall(), () => grpcReply({ 'grpc-status': '5', 'grpc-message': 'no user 7' }, source))
  assert.deepEqual([reply.status, reply.body, source.cancelled], [200, null, true])
  assert.equal(reply.headers.get('grpc-message'), 'no user 7')
  assert.equal(reply.headers.get('content-type'), 'application/grpc-web+proto')
})

test('an error of the gateway has a gRPC status and its headers', async () => {
  const error = new GatewayError('rate-limited', 'Too many calls.', { headers: [['Retry-After', '7']] })
  const reply = await run(makeCall(), () => {
    throw error
  })
  const { headers } = reply
  assert.deepEqual(
    ['content-type', 'grpc-status', 'grpc-message', 'retry-after'].map((name) => headers.get(name)),
    ['application/grpc-web+proto', '8', 'Too many calls.', '7'],
  )
  assert.deepEqual([reply.status, reply.body], [200, null])
})

test('a reply without a status gets UNKNOWN', async () => {
  const unknown = trailersFrame('grpc-status: 2\r\ngrpc-message: The service ended its reply without a status.\r\n')
  const streamed = await run(makeCall(), () => grpcReply({}, new PartsBody([MESSAGE], false, null)))
  assert.equal(contentOf(streamed.body), MESSAGE + unknown)
  const whole = await run(makeCall(), () => grpcReply({}, Bytes.fromLatin1(MESSAGE)))
  assert.equal(contentOf(whole.body), MESSAGE + unknown)
})

test('a reply or request that is not gRPC is forwarded unchanged', async () => {
  const html = new Reply(502, Headers.of([['Content-Type', 'text/html']]), Bytes.fromText('<p>'))
  assert.equal((await run(makeCall(), () => html)).headers.get('Content-Type'), 'text/html')
  for (const exchange of [makeCall({ 'Content-Type': 'application/json' }), makeExchange()]) {
    const { headers } = exchange
    const reply = await run(exchange, (inner) => {
      assert.equal(inner.headers, headers)
      return Reply.json(200, {})
    })
    assert.equal(reply.headers.get('Content-Type'), 'application/json')
  }
})

test('the gRPC status headers are exposed to pages that may read the reply', async () => {
  const shared = { 'Access-Control-Allow-Origin': '*' }
  const plain = await run(makeCall(), () => grpcReply({ 'grpc-status': '0', ...shared }, null))
  assert.equal(plain.headers.get('Access-Control-Expose-Headers'), 'Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin')
  const fields = { 'grpc-status': '0', ...shared, 'Access-Control-Expose-Headers': 'X-Own' }
  const more = await run(makeCall(), () => grpcReply(fields, null))
  assert.equal(
    more.headers.get('Access-Control-Expose-Headers'),
    'X-Own, Grpc-Status, Grpc-Message, Grpc-Status-Details-Bin',
  )
  const foreign = await run(makeCall(), () => grpcReply({ 'grpc-status': '0' }, null))
  assert.equal(foreign.headers.has('Access-Control-Expose-Headers'), false)
})

test('an allowed preflight also allows the headers that gRPC-Web clients send', async () => {
  const headers = Headers.of([
    ['Origin', 'https://app.test'],
    ['Access-Control-Request-Method', 'POST'],
    ['Access-Control-Request-Headers', 'content-type,x-grpc-web,x-user-agent,x-other'],
  ])
  const preflight = (fields: Fields): Promise<Reply> =>
    run(makeExchange({ method: 'OPTIONS', headers }), () => new Reply(204, Headers.of(Object.entries(fields)), null))
  const origin = { 'Access-Control-Allow-Origin': '*' }
  const some = await preflight({ ...origin, 'Access-Control-Allow-Headers': 'Content-Type, Authorization' })
  assert.equal(
    some.headers.get('Access-Control-Allow-Headers'),
    'Content-Type, Authorization, x-grpc-web, x-user-agent',
  )
  const none = await preflight(origin)
  assert.equal(none.headers.get('Access-Control-Allow-Headers'), 'content-type, x-grpc-web, x-user-agent')
  assert.equal((await preflight({})).headers.has('Access-Control-Allow-Headers'), false)
})
