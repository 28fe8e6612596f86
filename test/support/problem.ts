import assert from 'node:assert/strict'
import type { Message } from './message.ts'
import type { Peer } from './peer.ts'

/** A problem document (RFC 9457). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly instance: string
}

/** Parses a reply that must be a problem document. */
export function problemOf({ start, fields, body }: Message): Problem {
  assert.equal(fields.get('Content-Type'), 'application/problem+json')
  assert.equal(fields.get('Cache-Control'), 'no-store')
  const problem = JSON.parse(body.toString()) as Problem
  assert.match(start, new RegExp(`^HTTP/1\\.1 ${problem.status} `))
  assert.match(problem.type, /^urn:sallyport:error:[a-z-]+$/)
  assert.match(problem.instance, /^[\w.~+/=@-]+$/)
  assert.ok(problem.title.length > 0)
  return problem
}

/** Reads a problem document with that status, after which the gateway closes the connection. */
export async function refusal(client: Peer, status: number): Promise<Problem> {
  const reply = await client.reply()
  assert.match(reply.start, new RegExp(`^HTTP/1\\.1 ${status} `))
  assert.equal(reply.fields.get('Connection'), 'close')
  const problem = problemOf(reply)
  assert.equal(await client.closed(), 'end')
  assert.equal(client.received.length, 0)
  return problem
}
