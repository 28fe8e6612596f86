import type { Ajv2020, Options, ValidateFunction } from 'ajv/dist/2020.js'
import type { JsonDocument } from '../../core/document.ts'
import { messageOf } from '../../core/error-facts.ts'
import type { Steps } from '../../core/slices.ts'
import { compileLinear } from '../../regexp/linear.ts'
import { UnusablePattern } from '../../regexp/unusable-pattern.ts'
import { linearFormats, validator } from './library.ts'
import { compileMultipleOf } from './multiple-of.ts'
import { hasDuplicates } from './unique.ts'
import { describe, type Place, type Violation, violationsOf } from './violations.ts'

/** Up to this size of what is checked, in octets, everything that is wrong is told; beyond, the first thing. */
const THOROUGH = 16_384

/** Keywords of a schema that is copied into those that refer to it, rather than called. */
const SMALL = 8

/** A schema that cannot be used; the message says where in it and why. */
export class UnusableSchema extends Error {
  override readonly name = 'UnusableSchema'
}

/** Checks a value of which `size` octets came from the client: what is wrong with it, or null. */
export type Check = (value: unknown, size: number, place: Place) => readonly Violation[] | null

const engine = Object.assign(
  (pattern: string) => {
    try {
      // The library tells patterns apart by their text.
      return { test: compileLinear(pattern), toString: () => pattern }
    } catch (error) {
      if (!(error instanceof UnusablePattern)) throw error
      throw new UnusableSchema(`the pattern ${JSON.stringify(pattern)} ${error.message}`)
    }
  },
  { code: '' },
)

const common: Options = {
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  // What OpenAPI adds to schemas, and what many schemas hold besides.
  keywords: ['example', 'xml', 'externalDocs', 'discriminator'],
  // A member that every object inherits is none of the document's.
  ownProperties: true,
  validateSchema: false,
  meta: false,
  logger: false,
  code: { regExp: engine },
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** Made when there is something to check. */
let metaschema: Ajv2020 | null = null

/** Compiles the schemas of one document, which are JSON Schema 2020-12. */
export class Schemas {
  private readonly first: Ajv2020
  private readonly all: Ajv2020

  /** `strict` refuses keywords and formats that are not known. */
  constructor(strict: boolean) {
    this.first = create({ ...common, strictSchema: strict })
    // It is for what is refused: to be compiled soon counts more than speed, so only small parts are copied into others.
    this.all = create({ ...common, strictSchema: strict, allErrors: true, inlineRefs: SMALL })
  }

  /** Makes a document known whose parts are referred to by its URI. */
  add(document: JsonDocument, uri: string): void {
    for (const ajv of [this.first, this.all]) ajv.addSchema(document, uri)
  }

  /**
   * Compiles a part of such a document, by its URI, so that it is at hand for what refers to it. One that refers to nothing
   * itself is copied into that where it is to be fast.
   */
  *compileAt(uri: string, refers: boolean): Steps {
    for (const ajv of refers ? [this.first, this.all] : [this.all]) {
      try {
        ajv.getSchema(uri)
      } catch {
        // Whatever refers to it cannot be compiled either, and says so with its place.
      }
      yield
    }
  }

  /** Throws UnusableSchema. */
  *compile(schema: JsonDocument): Steps<Check> {
    const first = compile(this.first, schema)
    yield
    const all = compile(this.all, schema)
    yield
    return (value, size, place) => {
      try {
        if (first(value)) return null
        if (size <= THOROUGH) all(value)
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        return [{ pointer: '', in: place, detail: 'is nested too deeply' }]
      }
      return violationsOf((size <= THOROUGH ? all : first).errors ?? [], place)
    }
  }
}

/** Throws UnusableSchema for what the schema of JSON Schema 2020-12 refuses. */
export function checkSchema(schema: JsonDocument): void {
  const { $schema: dialect = DIALECT, $async: asynchronous = false } = schema
  if (dialect !== DIALECT) throw new UnusableSchema(`/$schema must be ${JSON.stringify(DIALECT)}, or left out`)
  if (asynchronous !== false) throw new UnusableSchema('/$async is not allowed')
  metaschema ??= new (validator())({ strict: false, logger: false })
  if (metaschema.validateSchema(schema) === true) return
  const [error] = metaschema.errors ?? []
  throw new UnusableSchema(
    error === undefined ? 'is no JSON Schema' : `${error.instancePath} ${describe(error)}`.trim(),
  )
}

function create(options: Options): Ajv2020 {
  const ajv = new (validator())({ ...options, formats: linearFormats() })
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must not hold an item twice' },
    validate: (unique: boolean, items: readonly unknown[]) => !unique || !hasDuplicates(items),
  })
  // That of the library divides in binary, where 4.35 is no multiple of 0.01.
  ajv.removeKeyword('multipleOf')
  ajv.addKeyword({
    keyword: 'multipleOf',
    type: 'number',
    schemaType: 'number',
    error: { message: ({ schema }) => `must be a multiple of ${String(schema)}` },
    compile: (divisor: number) => compileMultipleOf(divisor),
  })
  return ajv
}

function compile(ajv: Ajv2020, schema: JsonDocument): ValidateFunction {
  try {
    return ajv.compile(schema)
  } catch (error) {
    throw new UnusableSchema(messageOf(error).replace(/^strict mode: /, ''))
  }
}
