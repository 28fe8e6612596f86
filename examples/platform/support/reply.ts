import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { EndpointDocs, Result } from './endpoint.ts'
import { Problem } from './problem.ts'

type Docs = Pick<EndpointDocs<string, unknown>, 'cache'>

/** Writes what a handler answered; a cacheable reply has an ETag and becomes 304 when the client holds it (RFC 9110 section 13.1.2). */
export function send(request: IncomingMessage, response: ServerResponse, docs: Docs, result: Result<unknown>): void {
  setHeaders(response, { 'Cache-Control': docs.cache ?? 'no-store', ...result.headers })
  if (result.body === undefined) {
    response.writeHead(result.status).end()
    return
  }
  const body = JSON.stringify(result.body)
  if (!docs.cache) {
    sendBody(response, result.status, 'application/json', body)
    return
  }
  const tag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  response.setHeader('ETag', tag)
  if (holds(request.headers['if-none-match'], tag)) {
    response.writeHead(304).end()
    return
  }
  sendBody(response, result.status, 'application/json', body)
}

/** Writes a problem document and lets the rest of the request run out, so that the connection stays usable. */
export function sendProblem(request: IncomingMessage, response: ServerResponse, problem: Problem): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  request.resume()
  setHeaders(response, { 'Cache-Control': 'no-store', ...problem.headers })
  sendBody(response, problem.status, 'application/problem+json', JSON.stringify(problem))
}

/** What the client learns of an error: everything about a Problem, nothing about others, which go to stderr. */
export function toProblem(error: unknown, instance: string): Problem {
  if (error instanceof Problem) return error
  console.error(`${instance}:`, error)
  return new Problem(500, 'The service made a mistake.')
}

function sendBody(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'Content-Type': type, 'Content-Length': Buffer.byteLength(body) }).end(body)
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}

function holds(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  return header.split(',').some((each) => ['*', tag].includes(each.trim().replace(/^W\//, '')))
}
