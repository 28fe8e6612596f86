import assert from 'node:assert/strict'
import test from 'node:test'
import { clientNetwork } from '../core/client-network.ts'
import { slowestExchange } from './slowest-exchange.ts'

const lane = (client: string | null, waitingForClient = Infinity) => ({
  network: client === null ? null : clientNetwork(client),
  waitingForClient,
})

for (const [what, clients] of [
  ['address', ['192.0.2.1', '192.0.2.1', '192.0.2.1']],
  ['IPv6 /64 network', ['2001:db8::1', '2001:db8::2', '2001:db8::3']],
] as const)
  test(`an ${what} with more than half of the lanes gives way after half a second, but not to itself`, () => {
    const lanes = [...clients.map((client, i) => lane(client, 100 * i)), lane('192.0.2.9', 0), lane(null)]
    assert.equal(slowestExchange(lanes, 5, 499, '192.0.2.9'), null)
    assert.equal(slowestExchange(lanes, 5, 500, '192.0.2.9'), lanes[0])
    assert.equal(slowestExchange(lanes, 5, 500, clients[1]), null)
    assert.equal(slowestExchange(lanes, 7, 500, '192.0.2.9'), null)
  })

test('any client gives way after five seconds, the one that has waited for longest', () => {
  const lanes = [lane('192.0.2.1', 1), lane('192.0.2.2', 0), lane('192.0.2.3')]
  assert.equal(slowestExchange(lanes, 10, 4999, '192.0.2.4'), null)
  assert.equal(slowestExchange(lanes, 10, 5000, '192.0.2.4'), lanes[1])
})
