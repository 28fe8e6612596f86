import assert from 'node:assert/strict'
import test from 'node:test'
import { Known } from './field-names.ts'
import { ReceivedFields } from './received-fields.ts'

test('repeated headers become a list, except Host, which is counted', () => {
  const fields = new ReceivedFields()
  for (const value of ['close', 'te']) fields.keep(Known.connection, value)
  for (const value of ['a', 'b']) fields.keep(Known.host, value)
  assert.equal(fields.connection, 'close, te')
  assert.deepEqual([fields.host, fields.hostLines], ['b', 2])
})

test('nothing of a message is left for the next one', () => {
  const fields = new ReceivedFields()
  for (const known of Object.values(Known)) fields.keep(known, 'a')
  fields.raw = 'X-A: 1\r\n'
  fields.claims = 'X-Real-IP: 192.0.2.1\r\n'
  fields.oddNames = true
  fields.drop(Known.odd, 'x_a')
  fields.reset()
  assert.deepEqual(fields, new ReceivedFields())
})

test('trusted claims become ordinary headers, and others are removed', () => {
  const fields = new ReceivedFields()
  fields.raw = 'X-A: 1\r\n'
  fields.claims = 'X-Real-IP: 192.0.2.1\r\nX-Consumer-ID: 7\r\nRemote-User: root\r\n'
  for (const name of ['X-Consumer-ID', 'Remote-User']) fields.drop(Known.identity, name)
  fields.drop(Known.folded, 'x_real_ip')
  fields.believe((name, value) => name === 'X-Real-IP' || (name === 'X-Consumer-ID' && value === '7'))
  assert.equal(fields.claims, 'X-Real-IP: 192.0.2.1\r\nX-Consumer-ID: 7\r\n')
  assert.equal(fields.raw, `X-A: 1\r\n${fields.claims}`)
  assert.deepEqual(fields.dropped, [
    { reason: 'identity', name: 'Remote-User' },
    { reason: 'folded', name: 'x_real_ip' },
  ])
})
