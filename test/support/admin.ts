import assert from 'node:assert/strict'
import type { OutgoingHttpHeaders } from 'node:http'
import type { TestContext } from 'node:test'
import type { GatewayInput } from '../../src/gateway.ts'
import { type Answer, send } from './client.ts'
import { startGateway, type TestGateway, type TestGatewayOptions } from './gateway.ts'

/** A request to the admin listener. */
export interface AdminAsk {
  readonly method?: string
  /** A body to send as JSON. */
  readonly json?: unknown
  /** A body to send unchanged. */
  readonly body?: string
  readonly headers?: OutgoingHttpHeaders
}

/** A reply of the admin listener. */
export interface AdminAnswer extends Answer {
  readonly json: Record<string, unknown>
}

/** Sends a request to the admin listener like a well-behaved program. */
export async function requestAdmin(
  port: number,
  path: string,
  { method = 'GET', json, body: text, headers = {} }: AdminAsk = {},
): Promise<AdminAnswer> {
  const fields = { 'Content-Type': 'application/json', ...headers }
  const body = json === undefined ? text : JSON.stringify(json)
  const answer = await send(port, { method, path, headers: fields, ...(body !== undefined && { body }) })
  const isJson = /^application\/(?:problem\+)?json/.test(answer.headers['content-type'] ?? '')
  return { ...answer, json: isJson ? (JSON.parse(answer.text) as Record<string, unknown>) : {} }
}

/** A test gateway with an admin listener on a free port. */
export async function startAdminGateway(
  t: TestContext,
  { admin = {}, ...config }: GatewayInput,
  options?: TestGatewayOptions,
): Promise<TestGateway & { adminPort: number; ask: (path: string, what?: AdminAsk) => Promise<AdminAnswer> }> {
  assert.notEqual(admin, false)
  const started = await startGateway(t, { ...config, admin: { address: '127.0.0.1:0', ...admin } }, options)
  const adminPort = started.gateway.adminAddress!.port
  return { ...started, adminPort, ask: (path, what) => requestAdmin(adminPort, path, what) }
}
