/** A JSON object whose members are not known. */
export type JsonObject = Readonly<Record<string, unknown>>

/** What a test asks for. */
export interface Ask {
  readonly method?: string
  /** The user that the gateway vouches for; user-alice has the role user, user-admin also admin. */
  readonly as?: 'user-alice' | 'user-admin' | 'order-service'
  readonly json?: unknown
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** A reply with its body read. */
export interface Answer {
  readonly status: number
  readonly headers: Headers
  /** The JSON object in the body; empty when there is none. */
  readonly json: JsonObject
}

const roles = { 'user-alice': 'user', 'user-admin': 'user,admin', 'order-service': 'service' }

/** Whether the value is a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Sends a request as the gateway would. */
export async function ask(base: string, path: string, options: Ask = {}): Promise<Answer> {
  const body = options.json === undefined ? options.body : JSON.stringify(options.json)
  const response = await fetch(`${base}${path}`, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers: {
      ...(options.json !== undefined && { 'Content-Type': 'application/json' }),
      ...(options.as && { 'X-User-ID': options.as, 'X-User-Roles': roles[options.as] }),
      ...options.headers,
    },
    redirect: 'manual',
    ...(body !== undefined && { body }),
  })
  const text = await response.text()
  const json: unknown = text === '' ? {} : JSON.parse(text)
  return { status: response.status, headers: response.headers, json: isObject(json) ? json : {} }
}

/** The objects in a member of a reply that is a list. */
export function objectsIn(json: JsonObject, member: string): JsonObject[] {
  const value = json[member]
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The member of a reply as text. */
export function textIn(json: JsonObject, member: string): string {
  const value = json[member]
  if (typeof value !== 'string') throw new TypeError(`${member} is not text`)
  return value
}
