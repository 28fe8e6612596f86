import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Headers } from '../../http/headers.ts'
import { dropSubprotocol, subprotocolToken } from './subprotocol.ts'

const offer = (...values: string[]) =>
  Headers.of(values.map((value) => ['Sec-WebSocket-Protocol', value] as [string, string]))

for (const [values, token, rest] of [
  [[], null, undefined],
  [['bearer, abc'], 'abc', undefined],
  [['bearer,abc'], 'abc', undefined],
  [['bearer', 'abc'], 'abc', undefined],
  [['v1, bearer', 'abc,v2 , v3'], 'abc', 'v1, v2, v3'],
  [['bearer'], null, undefined],
  [['v1, bearer'], null, 'v1'],
  [['bearer, , v1'], null, 'v1'],
  [['Bearer, abc'], null, 'Bearer, abc'],
  [['v1, abc'], null, 'v1, abc'],
  [['bearerx, abc'], null, 'bearerx, abc'],
] as const)
  test(`${JSON.stringify(values)} has the token ${token}, and the service is offered ${rest}`, () => {
    const headers = offer(...values)
    assert.equal(subprotocolToken(headers, 'bearer'), token)
    dropSubprotocol(headers, 'bearer')
    assert.equal(headers.get('Sec-WebSocket-Protocol'), rest)
  })

test('two tokens are rejected, and both removed', () => {
  const headers = offer('bearer, abc, v1, bearer, def')
  assert.throws(() => subprotocolToken(headers, 'bearer'), { reason: 'repeated' })
  dropSubprotocol(headers, 'bearer')
  assert.equal(headers.get('Sec-WebSocket-Protocol'), 'v1')
})

test('property: what follows the name is always removed, and everything else kept', () => {
  const entry = fc.constantFrom('bearer', 'v1', 'v2', 'TOKEN')
  fc.assert(
    fc.property(fc.array(entry), (offered) => {
      const headers = offer(...offered)
      dropSubprotocol(headers, 'bearer')
      const stored = headers.getAll('Sec-WebSocket-Protocol').flatMap((value) => value.split(', '))
      const hidden = (each: string, i: number) => each === 'bearer' || offered[i - 1] === 'bearer'
      assert.deepEqual(
        stored,
        offered.filter((each, i) => !hidden(each, i)),
      )
    }),
  )
})
