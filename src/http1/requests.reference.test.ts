import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { cases } from '../../test/support/cases.ts'
import { knownMethods, type ReadMessage, readRequests } from '../../test/support/llhttp.ts'
import { cut, cuts, requests, soundRequests } from '../../test/support/messages.ts'
import { isWireField, type OwnMessage, readOwnRequests } from '../../test/support/own-reader.ts'
import { requestFieldNames, trailerFieldNames } from '../http/field-names.ts'

/** What the other opinion found, as the gateway should have read it. */
function expected({ method, target, headers, body, trailers }: ReadMessage) {
  return {
    start: `${method} ${originForm(target)}`,
    headers: pairs(headers).filter(([name]) => !isWireField(requestFieldNames, name)),
    body,
    trailers: pairs(trailers).filter(
      ([name]) => !isWireField(trailerFieldNames, name) && name.toLowerCase() !== 'date',
    ),
  }
}

function found({ start, headers, body, trailers }: OwnMessage) {
  return { start, headers: pairs(headers), body, trailers: pairs(trailers) }
}

function originForm(target: string): string {
  if (target.startsWith('/') || target === '*') return target
  const rest = target.replace(/^http:\/\/[^/?]*/i, '')
  return rest.startsWith('/') ? rest : `/${rest}`
}

function pairs(list: readonly string[]): [string, string][] {
  return Array.from({ length: list.length / 2 }, (_, i) => [list[2 * i] ?? '', list[2 * i + 1] ?? ''])
}

/** What llhttp says of a Content-Length or Transfer-Encoding that it does not like. */
const FRAMING_FIELD = new Set(['HPE_INVALID_CONTENT_LENGTH', 'HPE_INVALID_TRANSFER_ENCODING'])

/** Whatever the gateway takes for a whole request, llhttp takes for the same one. Returns how many there were. */
function agree(parts: readonly Buffer[]): number {
  const own = readOwnRequests(parts).messages.filter(({ complete }) => complete)
  const { messages, error } = readRequests(parts)
  for (const [i, message] of own.entries()) {
    // It refuses methods that it does not know; the gateway passes them on.
    if (!knownMethods.includes(message.start.split(' ')[0]!)) return i
    const other = messages[i]
    // It refuses framing fields in trailers, where they mean nothing; the gateway drops them.
    if (other?.body === message.body && FRAMING_FIELD.has(error ?? '')) return i
    assert.ok(other?.complete, `llhttp does not see the request ${i}, ${message.start}`)
    assert.deepEqual(found(message), expected(other))
    // It lets Connection in the trailers decide, and Proxy-Connection; the gateway drops both.
    const late =
      other.trailers.some((name) => name.toLowerCase() === 'connection') ||
      other.headers.some((name) => name.toLowerCase() === 'proxy-connection')
    if (!message.close) assert.ok(other.keepAlive || late, `llhttp ends the connection after the request ${i}`)
    if (other.upgrade || late) return i + 1
  }
  return own.length
}

test('valid requests are read as by llhttp, for any split', () => {
  fc.assert(
    fc.property(soundRequests, cuts, (text, places) => {
      // Chunked content is not for HTTP/1.0.
      fc.pre(!/HTTP\/1\.0\r\n(?:.+\r\n)*Transfer-Encoding/.test(text))
      assert.ok(agree(cut(text, places)) > 0)
    }),
    { numRuns: cases(600) },
  )
})

test('invalid requests are rejected, or read as by llhttp, for any split', () => {
  fc.assert(
    fc.property(requests, cuts, (text, places) => {
      // llhttp does not take a tab for whitespace behind these values, as RFC 9112 section 5 does.
      fc.pre(!/(?:Transfer-Encoding|Content-Length):.*\t[\t ]*\r\n/i.test(text))
      agree(cut(text, places))
    }),
    { numRuns: cases(3_000) },
  )
})

test('requests are read the same for any split', () => {
  fc.assert(
    fc.property(requests, cuts, (text, places) => {
      const whole = readOwnRequests(cut(text, []))
      const split = readOwnRequests(cut(text, places))
      const complete = (messages: OwnMessage[]) => messages.filter((message) => message.complete)
      assert.deepEqual(complete(split.messages), complete(whole.messages))
      // An error may show later, never where there is none.
      if (split.error !== null) assert.equal(split.error, whole.error)
    }),
    { numRuns: cases(1_000) },
  )
})
