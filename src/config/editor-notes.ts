import { type Fields, isFields, itemsOf } from '../core/value.ts'

/**
 * The schema with annotations for editors: for each key a title, which is its path as in the configuration reference, and its map examples
 * as snippets, which are inserted as a whole.
 */
export function withEditorNotes(schema: Fields, path = ''): Fields {
  const { default: fallback, ...rest } = schema
  const { properties, items, additionalProperties, anyOf, examples } = rest
  const maps = itemsOf(examples).map(onlyItem).filter(isFields)
  return {
    ...(path !== '' && { title: path }),
    ...rest,
    ...(fallback !== undefined && !itemsOf(fallback).some(isFields) && { default: fallback }),
    ...(maps.length > 0 && { defaultSnippets: maps.map((body) => ({ label: labelOf(body), body })) }),
    ...(isFields(properties) && {
      properties: mapFields(properties, (field, name) =>
        withEditorNotes(field, path === '' ? name : `${path}.${name}`),
      ),
    }),
    ...(isFields(items) && { items: withEditorNotes(items, `${path}[]`) }),
    ...(isFields(additionalProperties) && {
      additionalProperties: withEditorNotes(additionalProperties, `${path}.name`),
    }),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.filter(isFields).map((form) => formOf(form, path, examples)) }),
  }
}

/** One of several forms of a value. If the value has examples of its own, those of the forms add nothing. */
function formOf(form: Fields, path: string, shown: unknown): Fields {
  const { examples, ...rest } = form
  const notes = shown === undefined && examples !== undefined ? { ...rest, examples } : rest
  return form['type'] === 'object' || 'anyOf' in form || 'items' in form ? withEditorNotes(notes, path) : notes
}

/** For a list with one item, that item: editors complete single items of a list. */
function onlyItem(example: unknown): unknown {
  return Array.isArray(example) && example.length === 1 ? example[0] : example
}

/** An example written as one line of YAML. */
function labelOf(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(labelOf).join(', ')}]`
  if (!isFields(value)) return String(value)
  const fields = Object.entries(value).map(([key, field]) => `${key}: ${labelOf(field)}`)
  return `{ ${fields.join(', ')} }`
}

function mapFields(fields: Fields, change: (field: Fields, name: string) => Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, isFields(field) ? change(field, name) : field]),
  )
}
