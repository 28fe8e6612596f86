/** A JSON object whose members are not known. */
export type JsonObject = Readonly<Record<string, unknown>>

/** One thing wrong with a value; the pointer says where (RFC 6901 as a URI fragment). */
export interface Issue {
  readonly pointer: string
  readonly detail: string
}

/** What a value must look like: checked at run time, documented as JSON Schema, typed as T. */
export interface Schema<T> {
  readonly json: JsonObject
  /** The named objects that `json` refers to, for components/schemas of the OpenAPI document. */
  readonly definitions: JsonObject
  readonly example: T
  issues(value: unknown, pointer: string): Issue[]
}

/** The type of the values that a schema accepts. */
export type Value<S> = S extends Schema<infer T> ? T : never

/** The members of an object by name. */
export type Fields = Readonly<Record<string, Schema<unknown>>>
/** The values of such members. */
export type Values<F extends Fields> = { readonly [K in keyof F]: Value<F[K]> }
type ObjectOf<R extends Fields, O extends Fields> = Values<R> & Partial<Values<O>>

/** Whether the value is what the schema asks for. */
export function isValid<T>(schema: Schema<T>, value: unknown): value is T {
  return schema.issues(value, '#').length === 0
}

/** Returns the value when the schema accepts it; throws a TypeError that names the first issue otherwise. */
export function expectValid<T>(schema: Schema<T>, value: unknown): T {
  if (isValid(schema, value)) return value
  const [issue] = schema.issues(value, '#')
  throw new TypeError(`${issue?.pointer}: ${issue?.detail}`)
}

/** Whether the value is a JSON object: neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

interface TextOptions {
  readonly minLength?: number
  readonly maxLength?: number
  readonly pattern?: RegExp
  /** A format of JSON Schema; documentation only, `pattern` is what is checked. */
  readonly format?: string
}

/** A string; empty and longer than 200 characters are refused unless the options say otherwise. */
export function text(example: string, options: TextOptions = {}): Schema<string> {
  const { minLength = 1, maxLength = 200, pattern, format } = options
  const json = {
    type: 'string',
    minLength,
    maxLength,
    ...(pattern && { pattern: pattern.source }),
    ...(format && { format }),
  }
  return leaf(json, example, (value) => {
    if (typeof value !== 'string') return 'must be a string'
    if (value.length < minLength) return `must have at least ${minLength} characters`
    if (value.length > maxLength) return `must have at most ${maxLength} characters`
    if (pattern && !pattern.test(value)) return `must be like ${example}`
    return undefined
  })
}

/** One of the given strings; the first is the example. */
export function choice<const T extends string>(first: T, ...others: readonly T[]): Schema<T> {
  const allowed: readonly string[] = [first, ...others]
  return leaf({ type: 'string', enum: allowed }, first, (value) =>
    typeof value === 'string' && allowed.includes(value) ? undefined : `must be one of ${allowed.join(', ')}`,
  )
}

/** A whole number between minimum (0) and maximum (one billion), both allowed. */
export function integer(example: number, options: { minimum?: number; maximum?: number } = {}): Schema<number> {
  const { minimum = 0, maximum = 1_000_000_000 } = options
  return leaf({ type: 'integer', minimum, maximum }, example, (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum
      ? undefined
      : `must be a whole number from ${minimum} to ${maximum}`,
  )
}

/** true or false. */
export function flag(example: boolean): Schema<boolean> {
  return leaf({ type: 'boolean' }, example, (value) =>
    typeof value === 'boolean' ? undefined : 'must be true or false',
  )
}

/** The named objects that the schemas refer to. */
export function definitionsOf(schemas: readonly Schema<unknown>[]): JsonObject {
  return Object.fromEntries(schemas.flatMap((schema) => Object.entries(schema.definitions)))
}

/** Any JSON object. */
export function anyObject(): Schema<JsonObject> {
  return leaf({ type: 'object' }, {}, (value) => (isObject(value) ? undefined : 'must be an object'))
}

/** What the inner schema accepts, or null. */
export function nullable<T>(inner: Schema<T>): Schema<T | null> {
  return {
    json: { anyOf: [inner.json, { type: 'null' }] },
    definitions: inner.definitions,
    example: inner.example,
    issues: (value, pointer) => (value === null ? [] : inner.issues(value, pointer)),
  }
}

/** An array of what the inner schema accepts, with at most 100 items unless the options say otherwise. */
export function list<T>(
  inner: Schema<T>,
  options: { minItems?: number; maxItems?: number } = {},
): Schema<readonly T[]> {
  const { minItems = 0, maxItems = 100 } = options
  return {
    json: { type: 'array', items: inner.json, minItems, maxItems },
    definitions: inner.definitions,
    example: [inner.example],
    issues(value, pointer) {
      if (!Array.isArray(value)) return [{ pointer, detail: 'must be an array' }]
      if (value.length < minItems) return [{ pointer, detail: `must have at least ${minItems} items` }]
      if (value.length > maxItems) return [{ pointer, detail: `must have at most ${maxItems} items` }]
      return value.flatMap((item: unknown, index) => inner.issues(item, `${pointer}/${index}`))
    },
  }
}

/** A named object with required and, where given, optional members, and no others. */
export function object<const R extends Fields>(name: string, required: R): Schema<Values<R>>
export function object<const R extends Fields, const O extends Fields>(
  name: string,
  required: R,
  optional: O,
): Schema<ObjectOf<R, O>>
export function object<const R extends Fields, const O extends Fields>(
  name: string,
  required: R,
  optional?: O,
): Schema<ObjectOf<R, O>> {
  const fields: Fields = { ...required, ...optional }
  const entries = Object.entries(fields)
  const definition = {
    type: 'object',
    properties: Object.fromEntries(entries.map(([key, field]) => [key, field.json])),
    required: Object.keys(required),
    additionalProperties: false,
  }
  const issues = (value: unknown, pointer: string): Issue[] => {
    if (!isObject(value)) return [{ pointer, detail: 'must be an object' }]
    const missing = Object.keys(required).filter((key) => !Object.hasOwn(value, key))
    const unknown = Object.keys(value).filter((key) => !Object.hasOwn(fields, key))
    return [
      ...missing.map((key) => ({ pointer: `${pointer}/${key}`, detail: 'is required' })),
      ...unknown.map((key) => ({ pointer: `${pointer}/${escapePointer(key)}`, detail: 'is not known' })),
      ...entries.flatMap(([key, field]) =>
        Object.hasOwn(value, key) ? field.issues(value[key], `${pointer}/${key}`) : [],
      ),
    ]
  }
  const isObjectOf = (value: unknown): value is ObjectOf<R, O> => issues(value, '#').length === 0
  const example: unknown = Object.fromEntries(entries.map(([key, field]) => [key, field.example]))
  if (!isObjectOf(example)) throw new TypeError(`the example of ${name} is not valid`)
  return {
    json: { $ref: `#/components/schemas/${name}` },
    definitions: { ...definitionsOf(Object.values(fields)), [name]: definition },
    example,
    issues,
  }
}

function leaf<T>(json: JsonObject, example: T, complaint: (value: unknown) => string | undefined): Schema<T> {
  return {
    json: { ...json, examples: [example] },
    definitions: {},
    example,
    issues(value, pointer) {
      const detail = complaint(value)
      return detail === undefined ? [] : [{ pointer, detail }]
    },
  }
}

function escapePointer(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))
}
