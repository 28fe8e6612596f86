import assert from 'node:assert/strict'
import test from 'node:test'
import { readOptions } from './connection-options.ts'

const none = { close: false, keepAlive: false, upgrade: false, nominated: null }

test('common values are parsed', () => {
  assert.deepEqual(readOptions('close'), { ...none, close: true })
  assert.deepEqual(readOptions('keep-alive'), { ...none, keepAlive: true })
  assert.deepEqual(readOptions(''), none)
})

test('options are a list, regardless of case and whitespace', () => {
  assert.deepEqual(readOptions(' Keep-Alive ,,\tCLOSE, Upgrade'), {
    close: true,
    keepAlive: true,
    upgrade: true,
    nominated: null,
  })
})

test('other names are nominated, except those that are removed anyway', () => {
  assert.deepEqual(readOptions('TE, X-A, transfer-encoding, x-b, Proxy-Connection'), {
    ...none,
    nominated: ['x-a', 'x-b'],
  })
})

test('options are compared as whole names', () => {
  assert.deepEqual(readOptions('keep-alive\xa0, \xa0close'), { ...none, nominated: ['keep-alive\xa0', '\xa0close'] })
  assert.deepEqual(readOptions('closed, keep-alive-not').close, false)
  assert.deepEqual(readOptions('closed, keep-alive-not').keepAlive, false)
})
