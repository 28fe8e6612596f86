import { RANDOM, SAMPLED, Trace } from '../http/trace.ts'
import { newSpanId, newTraceId } from '../http/trace-ids.ts'
import type { Sampler } from './sampler.ts'

/** Version, trace id, parent id and flags; what a later version than 00 may add begins with "-" (sections 3.2.2 and 3.2.4). */
const PARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-|$)/
const PARENT_LENGTH = 55

/** A list-member without the whitespace around it (section 3.3.2.2). */
const MEMBER = String.raw`[a-z\d][a-z\d_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]`
/** A list without whitespace and empty members, of as many as there may be (section 3.3.2.1): the one form that is sent. */
const LIST = new RegExp(`^${MEMBER}(?:,${MEMBER}){0,31}$`)
const WHITESPACE = /^[\t ]+|[\t ]+$/g
/** Characters that are passed on of a list, and of a member that is left out before others (section 3.3.3.1). */
const STATE_LENGTH = 512
const LONG_MEMBER = 128

/**
 * The trace of a request with these values of traceparent and tracestate, several lines of one name joined by commas
 * (W3C Trace Context Level 2). A traceparent that is not valid, or there more than once, begins a new trace; and an invalid
 * tracestate is dropped by itself.
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
    // Of other flags nothing is known, so they are not passed on (section 3.2.2.5.3).
    (flags & RANDOM) | (sampled ? SAMPLED : 0),
    tracestate === null ? '' : parseState(tracestate),
  )
}

function isParent(text: string): boolean {
  return PARENT.test(text) && (text.length === PARENT_LENGTH || !text.startsWith('00'))
}

/** A trace state in the form in which it is sent, cut to what is passed on, or "" if it is not valid. */
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
  const kept = members.filter(({ length }) => length <= LONG_MEMBER)
  while (kept.join(',').length > STATE_LENGTH) kept.pop()
  return kept.join(',')
}
