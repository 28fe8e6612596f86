import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cases } from '../../test/support/cases.ts'
import { type ReadMessage, readResponses } from '../../test/support/llhttp.ts'
import { cut, cuts, responses, soundResponses } from '../../test/support/messages.ts'
import { isWireField, type OwnMessage, readOwnResponses } from '../../test/support/own-reader.ts'
import { responseFieldNames, trailerFieldNames } from '../http/field-names.ts'

const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD')

/** What the other opinion found, as the gateway should have read it. */
function expected({ status, headers, body, trailers }: ReadMessage) {
  return {
    start: String(status),
    headers: pairs(headers).filter(([name]) => !isWireField(responseFieldNames, name)),
    body,
    trailers: pairs(trailers).filter(
      ([name]) => !isWireField(trailerFieldNames, name) && name.toLowerCase() !== 'date',
    ),
  }
}

function found({ start, headers, body, trailers }: OwnMessage) {
  return { start, headers: pairs(headers), body, trailers: pairs(trailers) }
}

function pairs(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i] ?? '', list[2 * i + 1] ?? ''])
}

/** What llhttp says of a Content-Length or Transfer-Encoding that it does not like. */
const FRAMING_FIELD = new Set(['HPE_INVALID_CONTENT_LENGTH', 'HPE_INVALID_TRANSFER_ENCODING'])

/**
 * Whatever the gateway takes for a whole response, llhttp takes for the same one, up to the final response: behind it
 * the gateway reads nothing. Returns how many there were.
 */
function agree(parts: readonly Buffer[], requested: string): number {
  const own = readOwnResponses(parts, requested, true).messages.filter(({ complete }) => complete)
  const { messages, error } = readResponses(parts, requested, true)
  for (const [i, message] of own.entries()) {
    const other = messages[i]
    // It refuses framing fields in trailers, where they mean nothing; the gateway drops them.
    if (other?.body === message.body && FRAMING_FIELD.has(error ?? '')) return i
    // It expects chunked content behind interim responses, which never have content (RFC 9112 section 6.3).
    if (other !== undefined && other.status < 200 && other.body !== message.body) return i
    assert.ok(other?.complete, `llhttp does not see the response ${i}, ${message.start}`)
    assert.deepEqual(found(message), expected(other))
    // It lets Connection in the trailers decide, and Proxy-Connection; the gateway drops both.
    const late =
      other.trailers.some((name) => name.toLowerCase() === 'connection') ||
      other.headers.some((name) => name.toLowerCase() === 'proxy-connection')
    // Of HEAD it learns only afterwards.
    if (!message.close && requested !== 'HEAD')
      assert.ok(other.keepAlive || late, `llhttp ends the connection after the response ${i}`)
    if (other.status >= 200 || other.upgrade || late) return i + 1
  }
  return own.length
}

test('valid responses are read as by llhttp, for any split', () => {
  fc.assert(
    fc.property(soundResponses, cuts, method, (text, places, requested) => {
      // Chunked content is not for HTTP/1.0.
      fc.pre(!/HTTP\/1\.0 (?:.+\r\n)+Transfer-Encoding/.test(text))
      assert.ok(agree(cut(text, places), requested) > 0)
    }),
    { numRuns: cases(600) },
  )
})

test('invalid responses are rejected, or read as by llhttp, for any split', () => {
  fc.assert(
    fc.property(responses, cuts, method, (text, places, requested) => {
      // llhttp does not take a tab for whitespace behind these values, as RFC 9112 section 5 does.
      fc.pre(!/(?:Transfer-Encoding|Content-Length):.*\t[\t ]*\r\n/i.test(text))
      agree(cut(text, places), requested)
    }),
    { numRuns: cases(3_000) },
  )
})

test('responses are read the same for any split', () => {
  fc.assert(
    fc.property(responses, cuts, method, (text, places, requested) => {
      const whole = readOwnResponses(cut(text, []), requested, true)
      const split = readOwnResponses(cut(text, places), requested, true)
      const complete = (messages: OwnMessage[]) => messages.filter((message) => message.complete)
      assert.deepEqual(complete(split.messages), complete(whole.messages))
      // An error may show later, never where there is none.
      if (split.error !== null) assert.equal(split.error, whole.error)
    }),
    { numRuns: cases(1_000) },
  )
})
