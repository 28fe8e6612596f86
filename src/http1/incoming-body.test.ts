import assert from 'node:assert/strict'
import test from 'node:test'
import { CollectingSink } from '../../test/support/bodies.ts'
import { codeOf } from '../../test/support/codes.ts'
import { GatewayError } from '../core/errors.ts'
import { CloseDecoder, LengthDecoder } from './body-decoder.ts'
import { ChunkedDecoder } from './chunked-decoder.ts'
import { type BodySource, IncomingBody } from './incoming-body.ts'
import { defaultHeadLimits } from '../http/limits.ts'
import { sharedBuffer } from '../http/read-buffers.ts'

/** A connection that records its calls. */
class Source implements BodySource {
  reading = true
  readonly calls: string[] = []
  pauseReading = (): void => void ((this.reading = false), this.calls.push('pause'))
  resumeReading = (): void => void ((this.reading = true), this.calls.push('resume'))
  abandonBody = (): void => void this.calls.push('abandon')
  bodyWanted = (): void => void this.calls.push('wanted')
}

const tooMuch = () => new GatewayError('content-too-large')

function open(length = 5, limit = 100) {
  const source = new Source()
  const decoder = length < 0 ? new ChunkedDecoder(defaultHeadLimits) : new LengthDecoder(length)
  const body = new IncomingBody(source, decoder, length, limit, tooMuch)
  const feed = (text: string): number => {
    const bytes = Buffer.from(text, 'latin1')
    const used = body.feed(bytes, 0, bytes.length)
    bytes.fill('!')
    return used
  }
  return { source, body, feed, sink: new CollectingSink() }
}

test('data is passed to the sink at once, and the end as well', () => {
  const { source, body, feed, sink } = open()
  body.pipe(sink)
  assert.equal(feed('abc'), 3)
  assert.equal(sink.text, 'abc')
  assert.equal(body.arrived, false)
  assert.equal(feed('defg'), 2)
  assert.equal(sink.text, 'abcde')
  assert.ok(sink.ended)
  assert.ok(body.arrived && body.finished)
  assert.equal(body.received, 5)
  assert.deepEqual(source.calls, ['wanted'])
})

test('data before a pipe is kept, and reading pauses until it is taken', () => {
  const { source, body, feed, sink } = open()
  feed('abc')
  assert.deepEqual(source.calls, ['pause'])
  assert.equal(body.flowing, false)
  body.pipe(sink)
  assert.ok(body.flowing)
  assert.equal(sink.text, 'abc')
  assert.deepEqual(source.calls, ['pause', 'wanted', 'resume'])
  feed('de')
  assert.ok(sink.ended)
})

test('a body that was only partly kept uses the shared buffer once it is piped', () => {
  const { body, feed, sink } = open()
  feed('a')
  assert.equal(body.readBuffer, sharedBuffer)
  body.pipe(sink)
  assert.equal(body.readBuffer, sharedBuffer)
  feed('b')
  assert.equal(body.readBuffer, sharedBuffer)
  feed('cde')
  assert.equal(sink.text, 'abcde')
})

test('reading continues once everything has arrived, piped or not', () => {
  const { source, body, feed, sink } = open(-1)
  feed('2\r\nab\r\n')
  assert.equal(source.reading, false)
  feed('1\r\nc\r\n0\r\nX-T: 1\r\n\r\n')
  assert.equal(source.reading, true)
  assert.equal(body.whole(), null, 'bytes cannot hold trailers')
  body.pipe(sink)
  assert.equal(sink.text, 'abc')
  assert.ok(sink.ended)
  assert.equal(sink.trailers?.get('X-T'), '1')
})

test('a sink that is not ready pauses reading until it resumes', () => {
  const { source, body, feed, sink } = open()
  body.pipe(sink)
  sink.taking = false
  feed('ab')
  assert.equal(source.reading, false)
  sink.taking = true
  body.resume()
  assert.equal(source.reading, true)
  body.resume()
  assert.deepEqual(source.calls, ['wanted', 'pause', 'resume'])
})

/** A chunk of that letter, too large to be moved to the one before it. */
function chunk(letter: string): string {
  return `1388\r\n${letter.repeat(5_000)}\r\n`
}

/** The letters in the order in which they came. */
function letters({ text }: CollectingSink): string {
  return text.replaceAll(/(.)\1{4999}/g, '$1')
}

test('further chunks of the same read wait until the sink has finished with the first', () => {
  const { source, body, feed, sink } = open(-1, 50_000)
  body.pipe(sink)
  sink.taking = false
  feed(chunk('a') + chunk('b') + chunk('c') + chunk('d'))
  assert.equal(letters(sink), 'a')
  body.resume()
  assert.equal(letters(sink), 'abcd')
  assert.equal(sink.writes, 2)
  assert.equal(source.reading, false)
  sink.taking = true
  body.resume()
  assert.equal(source.reading, true)
  feed(`${chunk('e')}0\r\n\r\n`)
  assert.equal(letters(sink), 'abcde')
  assert.ok(sink.ended)
})

test('the end of a body waits for the chunks before it', () => {
  const { body, feed, sink } = open(-1, 50_000)
  body.pipe(sink)
  sink.taking = false
  feed(`${chunk('a')}${chunk('b')}0\r\nX-T: 1\r\n\r\n`)
  assert.deepEqual([letters(sink), sink.ended, body.arrived], ['a', false, true])
  body.resume()
  assert.equal(letters(sink), 'ab')
  assert.ok(sink.ended)
  assert.equal(sink.trailers?.get('X-T'), '1')
})

test('after a failure nothing more is passed on when the sink resumes', () => {
  const { body, feed, sink } = open(-1, 50_000)
  body.pipe(sink)
  sink.taking = false
  feed(chunk('a') + chunk('b'))
  body.fail(tooMuch())
  body.resume()
  assert.equal(letters(sink), 'a')
  assert.ok(sink.error instanceof GatewayError)
})

test('a sink that is not ready after the kept data keeps reading paused', () => {
  const { source, body, feed, sink } = open()
  feed('ab')
  sink.taking = false
  body.pipe(sink)
  assert.equal(sink.text, 'ab')
  assert.equal(source.reading, false)
  body.resume()
  assert.equal(source.reading, true)
})

test('the kept data of a complete body is passed on even if the sink is not ready', () => {
  const { source, body, feed, sink } = open(5)
  feed('abcde')
  sink.taking = false
  body.pipe(sink)
  assert.equal(sink.text, 'abcde')
  assert.ok(sink.ended)
  assert.equal(source.reading, true)
})

test('a body that arrived before it was taken is available as bytes, once', () => {
  const { source, body, feed } = open()
  feed('abc')
  assert.equal(body.whole(), null)
  feed('de')
  assert.equal(body.whole()?.toLatin1(), 'abcde')
  assert.equal(source.reading, true)
  assert.ok(body.finished)
})

test('an empty body is available as bytes', () => {
  const { body, feed } = open(-1)
  feed('0\r\n\r\n')
  assert.equal(body.whole()?.length, 0)
})

test('a piped or failed body is not available as bytes', () => {
  const taken = open()
  taken.body.pipe(taken.sink)
  taken.feed('abcde')
  assert.equal(taken.body.whole(), null)
  const failed = open()
  failed.feed('abcde')
  failed.body.fail(new Error('x'))
  assert.equal(failed.body.whole(), null)
})

test('a failure is passed to the sink once, now or later', () => {
  const early = open()
  early.feed('ab')
  early.body.fail(new Error('first'))
  early.body.fail(new Error('second'))
  early.body.pipe(early.sink)
  assert.equal(early.sink.error?.message, 'first')
  assert.equal(early.sink.text, '')

  const late = open()
  late.body.pipe(late.sink)
  late.body.fail(new Error('first'))
  assert.equal(late.sink.error?.message, 'first')
  assert.equal(late.body.flowing, false)
  late.feed('abcde')
  assert.equal(late.sink.text, '')
  assert.equal(late.sink.ended, false)
})

test('a completed body cannot fail any more', () => {
  const { body, feed, sink } = open()
  body.pipe(sink)
  feed('abcde')
  body.fail(new Error('late'))
  assert.equal(sink.error, null)
})

test('invalid chunked coding fails the sink and throws', () => {
  const { body, feed, sink } = open(-1)
  body.pipe(sink)
  assert.equal(
    codeOf(() => feed('x')),
    'bad-request',
  )
  assert.equal(sink.error instanceof GatewayError && sink.error.code, 'bad-request')
})

test('exceeding the limit by one byte is a failure', () => {
  const { body, feed, sink } = open(-1, 4)
  body.pipe(sink)
  feed('4\r\nabcd\r\n')
  assert.equal(
    codeOf(() => feed('1\r\ne\r\n')),
    'content-too-large',
  )
  assert.equal(sink.text, 'abcd')
  assert.equal(sink.error instanceof GatewayError && sink.error.code, 'content-too-large')
})

test('a cancelled body abandons the connection, and passes on nothing more', () => {
  const { source, body, feed, sink } = open()
  body.pipe(sink)
  feed('ab')
  body.cancel()
  body.cancel()
  feed('cde')
  body.resume()
  assert.equal(sink.text, 'ab')
  assert.equal(sink.ended, false)
  assert.equal(sink.error, null)
  assert.deepEqual(source.calls, ['wanted', 'abandon'])
})

test('cancelling a body that has arrived leaves the connection alone', () => {
  const { source, body, feed } = open(-1)
  feed('1\r\na\r\n0\r\nX-T: 1\r\n\r\n')
  body.cancel()
  assert.deepEqual(source.calls, ['pause', 'resume'])
})

test('cancelling a completed body does nothing', () => {
  const { source, body, feed, sink } = open()
  body.pipe(sink)
  feed('abcde')
  body.cancel()
  assert.deepEqual(source.calls, ['wanted'])
})

test('the end of the connection only completes a close-delimited body', () => {
  const framed = open()
  framed.feed('ab')
  assert.equal(framed.body.endOfInput(), false)

  const sink = new CollectingSink()
  const body = new IncomingBody(new Source(), new CloseDecoder(), -1, 100, tooMuch)
  body.pipe(sink)
  body.feed(Buffer.from('ab'), 0, 2)
  assert.equal(body.endOfInput(), true)
  assert.ok(sink.ended)
})
