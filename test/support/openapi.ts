import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>

/** An OpenAPI document, as far as tests inspect it. */
export interface ApiDocument {
  readonly openapi: string
  readonly info: { readonly title: string; readonly version: string; readonly description?: string }
  readonly tags: readonly { readonly name: string; readonly description?: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, ApiOperation>>>>
  readonly components: Readonly<Record<string, Readonly<Record<string, Json>>>>
}

/** An Operation Object. */
export interface ApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary?: string
  readonly description?: string
  readonly parameters?: readonly (Json & { readonly name: string; readonly in: string })[]
  readonly requestBody?: Json
  readonly responses: Readonly<Record<string, Json>>
  readonly security?: readonly Readonly<Record<string, readonly string[]>>[]
}

const file = new URL('../vectors/openapi/schema.json', import.meta.url)
const DIALECT = 'https://json-schema.org/draft/2020-12/schema'
/** The published schema leaves open the dialect of schemas in a document: here, it is JSON Schema. */
const text = readFileSync(file, 'utf8').replaceAll('"$dynamicRef": "#meta"', `"$ref": "${DIALECT}"`)

const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true })
const isDocument = ajv.compile(JSON.parse(text) as Json)

/**
 * Parses a text and checks that it is a valid OpenAPI 3.1 document: it conforms to the published schema, every reference resolves, every
 * path parameter is described, and no two operations share an id.
 */
export function documentOf(written: string): ApiDocument {
  const document = JSON.parse(written) as ApiDocument
  assert.ok(isDocument(document), JSON.stringify(isDocument.errors?.slice(0, 5)))
  for (const reference of referencesOf(document)) assert.notEqual(resolve(document, reference), undefined, reference)
  const ids: string[] = []
  for (const [path, item] of Object.entries(document.paths)) {
    const names = [...path.matchAll(/\{([^{}]+)\}/g)].map((match) => match[1]!)
    for (const { operationId, parameters = [] } of Object.values(item)) {
      ids.push(operationId)
      const described = parameters.filter((each) => each.in === 'path').map(({ name }) => name)
      assert.deepEqual(described.toSorted(), names.toSorted(), path)
    }
  }
  assert.deepEqual(ids.toSorted(), [...new Set(ids)].toSorted())
  return document
}

/** Every text under $ref, and the targets of discriminators. */
function referencesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]: [string, unknown]) => {
    if (key === '$ref' && typeof item === 'string') return [item]
    const mapping = key === 'discriminator' ? (item as { mapping?: object }).mapping : undefined
    const mapped = Object.values(mapping ?? {}).filter((each) => typeof each === 'string')
    return mapped.concat(referencesOf(item))
  })
}

function resolve(document: unknown, reference: string): unknown {
  assert.match(reference, /^#\//)
  const steps = decodeURIComponent(reference.slice(2)).split('/')
  return steps.reduce<unknown>(
    (value, step) => (value as Record<string, unknown>)[step.replaceAll('~1', '/').replaceAll('~0', '~')],
    document,
  )
}
