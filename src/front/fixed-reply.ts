import type { RouteConfig } from '../config/schema.ts'
import { Bytes } from '../http/body.ts'
import type { Exchange } from '../http/exchange.ts'
import { fieldLine } from '../http/field-lines.ts'
import type { Handler } from '../http/handler.ts'
import { Headers, headersFromWire } from '../http/headers.ts'
import { Reply } from '../http/reply.ts'
import { parsePattern } from '../routing/pattern.ts'
import {
  compileBody,
  compileField,
  contentTypeAmong,
  type RepliedRequest,
  type ReplyText,
} from '../routing/reply-text.ts'

/** Handler of a fixed reply, whose texts may contain request values. */
export function createReply(
  { status, headers, body }: NonNullable<RouteConfig['reply']>,
  paths: readonly string[],
): Handler {
  const patterns = paths.map(parsePattern)
  const fields = Object.entries(headers).map(([name, value]) => [name, compileField(name, value, patterns)] as const)
  const text = compileBody(body, contentTypeAmong(Object.entries(headers)), patterns)
  const linesOf = compileLines(fields)
  const bodyOf = compileContent(text)
  return (exchange) => new Reply(status, headersFromWire(linesOf(exchange)), bodyOf(exchange))
}

function compileLines(fields: readonly (readonly [string, ReplyText])[]): (exchange: Exchange) => string {
  const constant = fields.flatMap(([name, value]) => (typeof value === 'string' ? [[name, value] as const] : []))
  const lines = Headers.of(constant).toWire()
  if (constant.length === fields.length) return () => lines
  return (exchange) => {
    const request = repliedRequest(exchange)
    let all = lines
    for (const [name, value] of fields) if (typeof value !== 'string') all += fieldLine(name, value(request))
    return all
  }
}

function compileContent(text: ReplyText): (exchange: Exchange) => Bytes | null {
  if (typeof text !== 'string') return (exchange) => Bytes.fromText(text(repliedRequest(exchange)))
  const body = text === '' ? null : Bytes.fromText(text).detached()
  return () => body
}

function repliedRequest({ client, host, path, params }: Exchange): RepliedRequest {
  return { scheme: client.scheme, host: client.host ?? host, path, params }
}
