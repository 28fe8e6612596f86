import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { readMessage } from './messages.ts'

const id = '3f0a4a1e-7c1b-4d5e-8f1a-0123456789ab'
const question = { v: 1, type: 'ask', id, from: id, name: 'a:1', operation: 'drain', asked: { any: ['thing'] } }
const answer = { v: 1, type: 'answer', id, to: id, from: id, name: 'a:1', problem: null, result: {} }

test('questions and answers survive a round trip', () => {
  for (const message of [question, answer]) assert.deepEqual(readMessage(JSON.stringify(message)), message)
})

test('property: anything else is null', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      assert.equal(readMessage(text), null)
    }),
  )
})

test('a message with a wrong, additional or missing member is null', () => {
  for (const message of [question, answer])
    for (const name of Object.keys(message)) {
      if (name !== 'asked' && name !== 'result' && name !== 'problem') {
        assert.equal(readMessage(JSON.stringify({ ...message, [name]: null })), null, name)
        assert.equal(readMessage(JSON.stringify({ ...message, [name]: undefined })), null, name)
      }
      assert.equal(readMessage(JSON.stringify({ ...message, [`${name}2`]: 1 })), null, name)
    }
})
