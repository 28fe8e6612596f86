import assert from 'node:assert/strict'
import test from 'node:test'
import { CollectingSink } from '../../../test/support/bodies.ts'
import { Bytes } from '../../http/body.ts'
import { Pieces } from './pieces.ts'

const text = 'abcdefgh'.repeat(20_000)

test('bytes arrive completely, in pieces', () => {
  const sink = new CollectingSink()
  const pieces = new Pieces(Bytes.fromText(text))
  assert.equal(pieces.length, text.length)
  pieces.pipe(sink)
  assert.equal(sink.text, text)
  assert.equal(sink.writes, 3)
  assert.ok(sink.ended)
})

test('a sink that is not ready gets no more', () => {
  const sink = new CollectingSink()
  sink.taking = false
  const pieces = new Pieces(Bytes.fromText(text))
  pieces.pipe(sink)
  assert.equal(sink.writes, 1)
  assert.ok(!sink.ended)
  pieces.resume()
  assert.equal(sink.writes, 2)
  sink.taking = true
  pieces.resume()
  assert.equal(sink.text, text)
  assert.ok(sink.ended)
})

test('nothing arrives after cancel', () => {
  const sink = new CollectingSink()
  sink.taking = false
  const pieces = new Pieces(Bytes.fromText(text))
  pieces.pipe(sink)
  pieces.cancel()
  pieces.resume()
  assert.equal(sink.writes, 1)
  assert.ok(!sink.ended)
})

test('empty bytes are a body that ends', () => {
  const sink = new CollectingSink()
  new Pieces(Bytes.fromText('')).pipe(sink)
  assert.equal(sink.writes, 0)
  assert.ok(sink.ended)
})
