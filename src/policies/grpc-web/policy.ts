import { z } from 'zod'
import { definePolicy } from '../policy.ts'
import { type Body, Bytes, cancelBody, isStream } from '../../http/body.ts'
import type { Exchange } from '../../http/exchange.ts'
import { GRPC_STATUS } from '../../http/grpc-error.ts'
import { callOf, refusalOfCall } from '../../http/grpc-request.ts'
import { afterwards, editReplies } from '../../http/handler.ts'
import type { Headers } from '../../http/headers.ts'
import type { Reply } from '../../http/reply.ts'
import { asGatewayError, type GatewayError } from '../../core/errors.ts'
import { changeRequest } from '../change-request.ts'
import { preflightMethod, preflightNames } from '../preflight.ts'
import { Base64Reader } from './base64.ts'
import { inForm, TextRequest, trailersFrame, WebReply } from './bodies.ts'
import { type WebForm, wantsText, webForm, webType } from './content-type.ts'

/** Request headers that grpc-web clients set on their own. */
const SENT: ReadonlySet<string> = new Set(['content-type', 'x-grpc-web', 'x-user-agent', 'grpc-timeout'])

/** Headers in which a reply without messages says how the call ended. */
const SAID = ['Grpc-Status', 'Grpc-Message', 'Grpc-Status-Details-Bin']

const NOTHING = Buffer.alloc(0)

/** A call in progress. */
interface WebCall {
  readonly isText: boolean
  /** Restores what the client asked for in the exchange. */
  readonly restore: () => void
}

/** Lets browsers call gRPC services (gRPC-Web). */
export const grpcWeb = definePolicy({
  name: 'grpc-web',
  summary: 'Lets browsers call gRPC services with gRPC-Web, binary and text.',
  changesRequests: true,
  options: z.strictObject({}),
  fields: () => ['Grpc-Timeout'],
  isShared: () => true,
  create() {
    return (next) => {
      const call = editReplies<WebCall>(next, (reply, _, { isText, restore }) => {
        restore()
        toWeb(reply, isText)
        expose(reply.headers)
      })
      return (exchange) => {
        const { method, headers } = exchange
        const form = method === 'POST' ? webForm(headers.get('Content-Type')) : null
        if (form !== null) return call(exchange, begin(exchange, form))
        if (preflightMethod(exchange) !== 'POST') return next(exchange)
        return afterwards(next(exchange), (reply) => allow(reply, exchange))
      }
    }
  },
})

/** Turns the exchange into a gRPC call. */
function begin(exchange: Exchange, form: WebForm): WebCall {
  const headers = exchange.headers.clone()
  const isText = wantsText(headers.combined('Accept'), form)
  headers.set('Content-Type', `application/grpc${form.suffix}`)
  headers.delete('X-Grpc-Web')
  headers.delete('Accept')
  const grpc = callOf(headers, exchange.start)
  const refusal = grpc === null ? null : refusalOfCall(grpc, '2')
  const { body, wrong } = form.isText ? bytesOf(exchange.body) : { body: exchange.body, wrong: null }
  const restore = changeRequest(exchange, { headers, grpc, body, refusal: exchange.refusal ?? refusal ?? wrong })
  return { isText, restore }
}

/** Decodes a base64 body; `wrong` is the error of a body that is already in memory. */
function bytesOf(body: Body): { readonly body: Body; readonly wrong: GatewayError | null } {
  if (body === null) return { body, wrong: null }
  if (isStream(body)) return { body: new TextRequest(body), wrong: null }
  const reader = new Base64Reader()
  try {
    const bytes = reader.read(body.toBuffer())
    reader.end()
    return { body: Bytes.fromBuffer(bytes), wrong: null }
  } catch (error) {
    return { body: null, wrong: asGatewayError(error) }
  }
}

/** A reply that is not gRPC is left unchanged: clients go by its status. */
function toWeb(reply: Reply, isText: boolean): void {
  const { headers, body } = reply
  const type = webType(headers.get('Content-Type'), isText)
  if (type === null) return
  headers.set('Content-Type', type)
  if (headers.has(GRPC_STATUS)) {
    cancelBody(body)
    reply.body = null
  } else if (isStream(body)) {
    reply.body = new WebReply(body, isText)
  } else {
    const bytes = body === null ? NOTHING : body.toBuffer()
    reply.body = Bytes.fromBuffer(Buffer.concat([bytes, trailersFrame(null)].map((each) => inForm(each, isText))))
  }
}

/** Lets pages that may read the reply also read how the call ended. */
function expose(headers: Headers): void {
  if (!headers.has('Access-Control-Allow-Origin')) return
  const exposed = headers.combined('Access-Control-Expose-Headers')
  headers.set('Access-Control-Expose-Headers', exposed === undefined ? SAID.join(', ') : [exposed, ...SAID].join(', '))
}

/** Lets pages that may make the call send the headers that their client library adds. */
function allow(reply: Reply, exchange: Exchange): Reply {
  const { headers } = reply
  if (!headers.has('Access-Control-Allow-Origin')) return reply
  const allowed = headers.combined('Access-Control-Allow-Headers')
  const known = new Set(allowed?.split(',').map((name) => name.trim().toLowerCase()))
  const more = preflightNames(exchange.headers).filter((name) => {
    return SENT.has(name.toLowerCase()) && !known.has(name.toLowerCase())
  })
  if (more.length > 0)
    headers.set('Access-Control-Allow-Headers', [...(allowed === undefined ? [] : [allowed]), ...more].join(', '))
  return reply
}
