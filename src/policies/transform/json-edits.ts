import { z } from 'zod'
import type { Exchange } from '../../http/exchange.ts'
import { compileTemplate, templateFor, textStyle } from '../template.ts'
import { pointerTokens } from '../../core/json-pointer.ts'
import { jsonPointer } from './json-pointer.ts'
import { isJsonMap, type Json } from './json-text.ts'
import { move, omit, pick, pointerTree, put } from './json-tree.ts'

const template = templateFor(textStyle, 'In a JSON value they are inserted unchanged.')

/** Values other than strings are used literally. */
const value = z.union([template, z.custom<Exclude<Json, string>>(isLiteral, 'expected a value that JSON can hold')])

/** Schema of changes to a JSON document, applied in this order: pick, omit, rename, set. */
export const jsonEdits = {
  pick: z
    .array(jsonPointer)
    .min(1)
    .optional()
    .describe('JSON pointers (RFC 6901) of values to keep; * stands for every item of a list. Default everything.')
    .meta({ examples: [['/id', '/items/*/price']] }),
  omit: z
    .array(jsonPointer)
    .default([])
    .describe('JSON pointers of values to remove.')
    .meta({ examples: [['/password', '/items/*/cost']] }),
  rename: z
    .record(jsonPointer, jsonPointer)
    .refine((pairs) => !Object.entries(pairs).flat().some(hasStar), 'a renamed value has one place: "*" is not allowed')
    .default({})
    .describe('JSON pointers of values to move, and their new pointers.')
    .meta({ examples: [{ '/user/name': '/user/fullName' }] }),
  set: z
    .record(jsonPointer, value)
    .default({})
    .describe('JSON pointers and the values to set: a string is a template, anything else is taken literally.')
    .meta({ examples: [{ '/source': 'gateway', '/user/id': '{consumer.id}' }] }),
}

const schema = z.object(jsonEdits)

/** Changes a document in place and returns it, or its replacement. */
export type JsonEdit = (document: Json, exchange: Exchange) => Json

/** Compiles the changes when the configuration loads. A pointer to something that does not exist has no effect. */
export function compileJsonEdits(edits: z.output<typeof schema>): JsonEdit {
  const picked = edits.pick === undefined ? null : pointerTree(edits.pick.map(pointerTokens))
  const omitted = pointerTree(edits.omit.map(pointerTokens))
  const renamed = Object.entries(edits.rename).map(([from, to]) => [pointerTokens(from), pointerTokens(to)] as const)
  const values = Object.entries(edits.set).map(([at, written]) => [pointerTokens(at), compileValue(written)] as const)
  return (document, exchange) => {
    const result = picked === null ? document : pick(document, picked)
    // Scalars have nothing below their root.
    if (!isJsonMap(result) && !Array.isArray(result)) return result
    omit(result, omitted)
    for (const [from, to] of renamed) move(result, from, to)
    for (const [at, make] of values) put(result, at, () => make(exchange))
    return result
  }
}

function compileValue(written: Json): (exchange: Exchange) => Json {
  if (typeof written === 'string') return compileTemplate(written, textStyle)
  // A copy for each document, so that later changes do not affect the next one.
  return typeof written === 'object' ? () => structuredClone(written) : () => written
}

function hasStar(pointer: string): boolean {
  return pointerTokens(pointer).includes('*')
}

/** Not z.json(): it is recursive, which the JSON Schema of the configuration does not support. */
function isLiteral(input: unknown): boolean {
  return typeof input !== 'string' && isJson(input)
}

function isJson(input: unknown): boolean {
  if (input === null || typeof input === 'string' || typeof input === 'boolean') return true
  if (typeof input === 'number') return Number.isFinite(input)
  return typeof input === 'object' && Object.values(input).every(isJson)
}
