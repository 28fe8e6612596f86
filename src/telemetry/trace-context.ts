import { RANDOM, SAMPLED, Trace } from '../http/trace.ts'
import { newSpanId, newTraceId } from '../http/trace-ids.ts'
import type { Sampler } from './sampler.ts'

/** Version, trace id, parent id and flags; anything that a version later than 00 appends begins with "-" (sections 3.2.2 and 3.2.4). */
const PARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-|$)/
const PARENT_LENGTH = 55

/** A list-member without surrounding whitespace (section 3.3.2.2). */
const MEMBER = String.raw`[a-z\d][a-z\d_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]`
/** A list without whitespace and empty members, up to the maximum number (section 3.3.2.1): the only form that is sent. */
const LIST = new RegExp(`^${MEMBER}(?:,${MEMBER}){0,31}$`)
const WHITESPACE = /^[\t ]+|[\t ]+$/g
/** Maximum number of characters of a list to propagate, and of a member beyond which it is dropped before others (section 3.3.3.1). */
const STATE_LENGTH = 512
const LONG_MEMBER = 128

/**
 * The trace of a request with these values of traceparent and tracestate, several lines of one name joined by commas (W3C Trace Context
 * Level 2). A missing, invalid or repeated traceparent begins a new trace; an invalid tracestate alone is dropped.
 */
export function traceOf(traceparent: string | null, tracestate: string | null, sampler: Sampler): Trace {
  if (traceparent === null || !isParent(traceparent)) {
    const traceId = newTraceId()
    return new Trace(traceId, '', newSpanId(), sampler(traceId, null) ? RANDOM | SAMPLED : RANDOM, '')
  }
  const traceId = traceparent.slice(3, 35)
  const flags = Number.parseInt(traceparent.slice(53, PARENT_LENGTH), 16)
  const sampled = sampler(traceId, (flags & SAMPLED) !== 0)
  return new Trace(
    traceId,
    traceparent.slice(36, 52),
    newSpanId(),
    // Other flags are undefined, so they are not propagated (section 3.2.2.5.3).
    (flags & RANDOM) | (sampled ? SAMPLED : 0),
    tracestate === null ? '' : parseState(tracestate),
  )
}

function isParent(text: string): boolean {
  return PARENT.test(text) && (text.length === PARENT_LENGTH || !text.startsWith('00'))
}

/** A trace state in the form in which it is sent, truncated to what is propagated, or "" if it is invalid. */
export function parseState(text: string): string {
  if (LIST.test(text)) return text.length <= STATE_LENGTH ? text : shorten(text.split(','))
  const members = text
    .split(',')
    .map((member) => member.replace(WHITESPACE, ''))
    .filter((member) => member !== '')
  return LIST.test(members.join(',')) ? shorten(members) : ''
}

function shorten(members: readonly string[]): string {
  const state = members.join(',')
  if (state.length <= STATE_LENGTH) return state
  const remaining = members.filter(({ length }) => length <= LONG_MEMBER)
  while (remaining.join(',').length > STATE_LENGTH) remaining.pop()
  return remaining.join(',')
}
