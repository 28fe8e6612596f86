import assert from 'node:assert/strict'
import test from 'node:test'
import { Input } from './input.ts'

/** Consumes words that end with a full stop, while `willing` is true. */
function open() {
  const words: string[] = []
  const state = { willing: true, onWord: (): void => {} }
  const input = new Input({
    consume(bytes, start, end) {
      const stop = bytes.indexOf('.', start)
      if (!state.willing || stop === -1 || stop >= end) return start
      words.push(bytes.toString('latin1', start, stop))
      state.onWord()
      return stop + 1
    },
  })
  const lend = (use: (bytes: Buffer, end: number) => void) => (text: string) => {
    // The buffer may hold more than was read.
    const bytes = Buffer.from(`${text}.`)
    use(bytes, text.length)
    bytes.fill('!')
  }
  return {
    words,
    state,
    input,
    feed: lend((bytes, end) => input.feed(bytes, end)),
    keep: lend((bytes, end) => input.keep(bytes.subarray(0, end))),
  }
}

test('unused input is kept until there is more', () => {
  const { words, input, feed } = open()
  feed('ab.c')
  assert.equal(input.length, 1)
  feed('d')
  feed('.')
  assert.deepEqual(words, ['ab', 'cd'])
  assert.equal(input.length, 0)
})

test('added input is not used before more is fed', () => {
  const { words, feed, keep } = open()
  keep('a.')
  keep('b')
  assert.deepEqual(words, [])
  feed('.')
  assert.deepEqual(words, ['a', 'b'])
})

test('kept input can be used later, but not reentrantly', () => {
  const { words, state, input, feed } = open()
  state.willing = false
  feed('a.b.')
  assert.equal(input.length, 4)
  state.willing = true
  state.onWord = () => input.again()
  input.again()
  input.again()
  assert.deepEqual(words, ['a', 'b'])
})

test('kept input can be taken', () => {
  const { words, input, feed } = open()
  feed('a')
  assert.equal(input.take()?.toString(), 'a')
  assert.equal(input.take(), null)
  feed('b.')
  assert.deepEqual(words, ['b'])
})
