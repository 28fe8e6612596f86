import type { Ajv2020, Options, ValidateFunction } from 'ajv/dist/2020.js'
import type { JsonDocument } from '../../core/document.ts'
import { messageOf } from '../../core/error-facts.ts'
import type { SlicedWork } from '../../core/time-slices.ts'
import { compileLinear } from '../../regexp/linear.ts'
import { UnusablePattern } from '../../regexp/unusable-pattern.ts'
import { linearFormats, validator } from './library.ts'
import { compileMultipleOf } from './multiple-of.ts'
import { hasDuplicates } from './unique.ts'
import { describe, type Place, type Violation, violationsOf } from './violations.ts'

/** Up to this size in bytes all errors of a value are reported; beyond it only the first one. */
const THOROUGH = 16_384

/** Schemas with up to this many keywords are inlined where they are referenced, rather than called. */
const SMALL = 8

/** A schema that cannot be used; the message says where in it and why. */
export class UnusableSchema extends Error {
  override readonly name = 'UnusableSchema'
}

/** Checks a value of which `size` bytes came from the client. Returns what is wrong with it, or null. */
export type Check = (value: unknown, size: number, place: Place) => readonly Violation[] | null

const engine = Object.assign(
  (pattern: string) => {
    try {
      // The library distinguishes patterns by their text.
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
  // Keywords that OpenAPI adds to schemas, and others in common use.
  keywords: ['example', 'xml', 'externalDocs', 'discriminator'],
  // Inherited properties of objects do not belong to the document.
  ownProperties: true,
  validateSchema: false,
  meta: false,
  logger: false,
  code: { regExp: engine },
}

const DIALECT = 'https://json-schema.org/draft/2020-12/schema'

/** Created on first use. */
let metaschema: Ajv2020 | null = null

/** Compiles the schemas of one document, which are JSON Schema 2020-12. */
export class Schemas {
  private readonly first: Ajv2020
  private readonly all: Ajv2020

  /** `strict` refuses unknown keywords and formats. */
  constructor(strict: boolean) {
    this.first = create({ ...common, strictSchema: strict })
    // Only used for refused requests: fast compilation matters more than speed, so only small parts are inlined.
    this.all = create({ ...common, strictSchema: strict, allErrors: true, inlineRefs: SMALL })
  }

  /** Registers a document whose parts are referred to by its URI. */
  add(document: JsonDocument, uri: string): void {
    for (const ajv of [this.first, this.all]) ajv.addSchema(document, uri)
  }

  /**
   * Compiles a part of such a document in advance, by its URI. In the fast variant, a part without references of its own is inlined
   * where it is used instead.
   */
  *compileAt(uri: string, refers: boolean): SlicedWork {
    for (const ajv of refers ? [this.first, this.all] : [this.all]) {
      try {
        ajv.getSchema(uri)
      } catch {
        // Whatever refers to it cannot be compiled either, and reports its place.
      }
      yield
    }
  }

  /** Throws UnusableSchema. */
  *compile(schema: JsonDocument): SlicedWork<Check> {
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

/** Throws UnusableSchema if the meta-schema of JSON Schema 2020-12 refuses the schema. */
export function checkSchema(schema: JsonDocument): void {
  const { $schema: dialect = DIALECT, $async: asynchronous = false } = schema
  if (dialect !== DIALECT) throw new UnusableSchema(`/$schema must be ${JSON.stringify(DIALECT)}, or left out`)
  if (asynchronous !== false) throw new UnusableSchema('/$async is not allowed')
  metaschema ??= new (validator())({ strict: false, logger: false })
  if (metaschema.validateSchema(schema) === true) return
  const [error] = metaschema.errors ?? []
  throw new UnusableSchema(
    error === undefined ? 'is not a JSON Schema' : `${error.instancePath} ${describe(error)}`.trim(),
  )
}

function create(options: Options): Ajv2020 {
  const ajv = new (validator())({ ...options, formats: linearFormats() })
  ajv.removeKeyword('uniqueItems')
  ajv.addKeyword({
    keyword: 'uniqueItems',
    type: 'array',
    schemaType: 'boolean',
    error: { message: 'must not contain an item twice' },
    validate: (unique: boolean, items: readonly unknown[]) => !unique || !hasDuplicates(items),
  })
  // The library's implementation divides in binary, where 4.35 is not a multiple of 0.01.
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
