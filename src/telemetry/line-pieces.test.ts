import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { LinePieces } from './line-pieces.ts'

test('property: pieces contain all lines, whole and in order, within the size limit', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 }).map((each) => `${each.replaceAll('\n', '')}\n`)
  fc.assert(
    fc.property(fc.array(fc.option(text), { maxLength: 40 }), fc.integer({ min: 1, max: 100 }), (lines, size) => {
      const pieces: string[] = []
      const gathered = new LinePieces(size, (piece) => pieces.push(piece.toString()))
      for (const line of lines) {
        if (line === null) gathered.flush()
        else gathered.add(line)
      }
      gathered.flush()
      const written = lines.filter((line) => line !== null).map((line) => line.toWellFormed())
      assert.equal(pieces.join(''), written.join(''))
      for (const piece of pieces) {
        assert.ok(piece.endsWith('\n'))
        assert.ok(Buffer.byteLength(piece) <= size || piece.indexOf('\n') === piece.length - 1)
      }
    }),
  )
})

test('lines are handed over together, as many as fit', () => {
  const pieces: string[] = []
  const gathered = new LinePieces(8, (piece) => pieces.push(piece.toString()))
  for (const line of ['a\n', 'b\n', 'c\n', 'd\n', 'e\n']) gathered.add(line)
  assert.deepEqual(pieces, ['a\nb\nc\nd\n'])
  gathered.flush()
  assert.deepEqual(pieces, ['a\nb\nc\nd\n', 'e\n'])
})
