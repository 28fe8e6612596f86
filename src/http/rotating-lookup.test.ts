import assert from 'node:assert/strict'
import test from 'node:test'
import { rotate } from './rotating-lookup.ts'

const v4 = (address: string) => ({ address, family: 4 })
const v6 = (address: string) => ({ address, family: 6 })

test('each address takes its turn as the first', () => {
  const addresses = [v4('10.0.0.1'), v4('10.0.0.2'), v4('10.0.0.3')]
  const firsts = [0, 1, 2, 3, 4].map((turn) =>
    rotate(addresses, turn)
      .map(({ address }) => address.at(-1))
      .join(''),
  )
  assert.deepEqual(firsts, ['123', '231', '312', '123', '231'])
})

test('the address family that the system prefers stays first', () => {
  const addresses = [v6('::1'), v4('127.0.0.1'), v6('::2')]
  assert.deepEqual(rotate(addresses, 0), [v6('::1'), v6('::2'), v4('127.0.0.1')])
  assert.deepEqual(rotate(addresses, 1), [v6('::2'), v6('::1'), v4('127.0.0.1')])
})

test('an empty list stays empty', () => {
  assert.deepEqual(rotate([], 3), [])
})
