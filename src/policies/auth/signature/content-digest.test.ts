import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import test from 'node:test'
import { makeExchange } from '../../../../test/support/exchange.ts'
import { PushedBody } from '../../../../test/support/bodies.ts'
import { Bytes } from '../../../http/body.ts'
import { headersFromWire } from '../../../http/headers.ts'
import { checkContentDigest } from './content-digest.ts'

test('a body that arrives in parts is passed on as a whole, without the announcement of its trailers', async () => {
  const body = new PushedBody(-1, '{"a"')
  const digest = `sha-256=:${hash('sha256', '{"a":1}', 'base64')}:`
  const headers = headersFromWire(`Content-Digest: ${digest}\r\nTrailer: X-Sum\r\n`)
  const exchange = makeExchange({ method: 'POST', headers, body })
  const checking = checkContentDigest(exchange, 100)
  body.push(':1}')
  body.end()
  await checking
  assert.equal(exchange.body instanceof Bytes ? exchange.body.toText() : null, '{"a":1}')
  assert.equal(exchange.headers.get('Trailer'), undefined)
})
