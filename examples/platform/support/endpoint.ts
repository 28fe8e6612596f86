import type { IncomingHttpHeaders } from 'node:http'
import { Problem, unauthorized } from './problem.ts'
import { isValid, object } from './schema.ts'
import type { Fields, Schema, Values } from './schema.ts'

/** Who calls, as the gateway says it in X-User-ID and X-User-Roles. */
export interface Caller {
  readonly id: string
  readonly roles: readonly string[]
}

/** The caller of a request without an identity. */
export const anonymous: Caller = { id: 'anonymous', roles: [] }

/** Who may call: anyone, any user, another service or an admin, an admin. */
export type Access = 'public' | 'user' | 'service' | 'admin'

/** What is documented about an endpoint, and checked for it. */
export interface EndpointDocs<Path extends string, R> {
  readonly id: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** With parameters in braces: /api/v1/users/{id}. */
  readonly path: Path
  readonly summary: string
  readonly access: Access
  /** The statuses of success. */
  readonly status: readonly number[]
  /** The body that comes with success; none means that there is no body. */
  readonly reply?: Schema<R>
  /** The statuses of failure beyond those that access, query and body bring with them. */
  readonly problems?: readonly number[]
  /** Cache-Control of the reply, which then also has an ETag; no-store when it is missing. */
  readonly cache?: string
  /** Whether the body is a form instead of JSON. */
  readonly form?: boolean
}

type ParameterOf<Path extends string> = Path extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParameterOf<Rest>
  : never

/** A request whose caller may call, with its parts parsed. */
export interface Call<Path extends string, Body, Query> {
  readonly caller: Caller
  readonly body: Body
  readonly query: Query
  readonly headers: IncomingHttpHeaders
  readonly parameter: (name: ParameterOf<Path>) => string
}

/** What a handler answers. */
export interface Result<R> {
  readonly status: number
  readonly body?: R
  readonly headers?: Readonly<Record<string, string>>
}

/** A request as the server hands it over: nothing of it is checked yet. */
export interface RawCall {
  /** Who calls; throws a Problem with 401 when the caller's proof is not valid. */
  identify(): Caller
  readonly parameters: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** Throws a Problem with 400, 413 or 415. */
  readBody(form: boolean): Promise<unknown>
}

/** One method on one path: documented, checked and handled. */
export interface Endpoint {
  readonly docs: EndpointDocs<string, unknown>
  readonly body: Schema<unknown> | undefined
  /** The query parameters, all of them optional. */
  readonly query: Fields
  /** Throws a Problem when the request is not acceptable. */
  run(call: RawCall): Promise<Result<unknown>>
}

type Handle<Path extends string, Body, Query, R> = (call: Call<Path, Body, Query>) => Result<R> | Promise<Result<R>>

/** An endpoint that takes neither a body nor a query. */
export function endpoint<const Path extends string, R = never>(
  docs: EndpointDocs<Path, R>,
  handle: Handle<Path, undefined, undefined, R>,
): Endpoint {
  return build(docs, { fields: {}, parse: () => undefined }, { read: async () => undefined }, handle)
}

/** An endpoint that takes query parameters, all of them optional, and no body. */
export function endpointWithQuery<const Path extends string, const F extends Fields, R>(
  fields: F,
  docs: EndpointDocs<Path, R>,
  handle: Handle<Path, undefined, Partial<Values<F>>, R>,
): Endpoint {
  const schema: Schema<Partial<Values<F>>> = object('Query', {}, fields)
  const parse = (parameters: URLSearchParams): Partial<Values<F>> => parseQuery(fields, schema, parameters)
  return build(docs, { fields, parse }, { read: async () => undefined }, handle)
}

/** An endpoint that takes a body and no query. */
export function endpointWithBody<const Path extends string, Body, R = never>(
  schema: Schema<Body>,
  docs: EndpointDocs<Path, R>,
  handle: Handle<Path, Body, undefined, R>,
): Endpoint {
  const read = async (call: RawCall): Promise<Body> => {
    const value = await call.readBody(docs.form ?? false)
    if (isValid(schema, value)) return value
    throw new Problem(422, 'The body is not what this endpoint takes.', { errors: schema.issues(value, '#') })
  }
  return build(docs, { fields: {}, parse: () => undefined }, { schema, read }, handle)
}

/** Whether the caller may do what only the owner or an admin may. */
export function ownsOrAdmin(caller: Caller, ownerId: string): boolean {
  return caller.id === ownerId || caller.roles.includes('admin')
}

interface QueryPart<Query> {
  readonly fields: Fields
  parse(parameters: URLSearchParams): Query
}

interface BodyPart<Body> {
  readonly schema?: Schema<Body>
  read(call: RawCall): Promise<Body>
}

function build<Path extends string, Body, Query, R>(
  docs: EndpointDocs<Path, R>,
  query: QueryPart<Query>,
  body: BodyPart<Body>,
  handle: Handle<Path, Body, Query, R>,
): Endpoint {
  return {
    docs,
    body: body.schema,
    query: query.fields,
    async run(call) {
      return await handle({
        caller: admit(call, docs.access),
        headers: call.headers,
        query: query.parse(call.query),
        body: await body.read(call),
        parameter: (name) => call.parameters[name] ?? '',
      })
    },
  }
}

/** Public endpoints do not look at the proof: logging in works while an expired token is still being sent. */
function admit(call: RawCall, access: Access): Caller {
  if (access === 'public') return anonymous
  const caller = call.identify()
  if (caller === anonymous) throw unauthorized('Log in first: this needs a user.')
  if (access === 'user' || caller.roles.includes('admin')) return caller
  if (access === 'service' && caller.roles.includes('service')) return caller
  throw new Problem(403, `This needs the role ${access}.`)
}

/** Parameters that are not known are ignored: proxies and browsers add their own. */
function parseQuery<Query>(fields: Fields, schema: Schema<Query>, parameters: URLSearchParams): Query {
  const value = Object.fromEntries(
    [...parameters].flatMap(([name, raw]) => {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined
      return field ? [[name, field.json['type'] === 'integer' ? toNumber(raw) : raw]] : []
    }),
  )
  if (isValid(schema, value)) return value
  throw new Problem(400, 'The query is not what this endpoint takes.', { errors: schema.issues(value, '#') })
}

function toNumber(raw: string): number {
  return /^-?\d+$/.test(raw) ? Number(raw) : Number.NaN
}
