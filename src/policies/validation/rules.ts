import { compileMediaTypes } from '../media-types.ts'
import type { BodyRule } from './body-rule.ts'
import { compileParameters, compileSchema } from './inline.ts'
import { type DescribedOperation, describeDocument } from './openapi.ts'
import type { Operation } from './operation.ts'
import type { ValidationOptions } from './options.ts'

/** Most bytes of a body that is read to be checked, unless the route says otherwise. */
const CHECKED = 1024 ** 2
const JSON_TYPES = ['application/json', 'application/*+json']

/** The requirements of the route's own schemas. */
export function ownOperation({ body, query, path, headers }: ValidationOptions): Operation {
  const { schema, required = schema !== undefined } = body
  const types = body.types ?? (schema === undefined ? null : JSON_TYPES)
  const check = schema === undefined ? null : compileSchema(schema).check
  return {
    parameters: [
      ...(path === undefined ? [] : [compileParameters(path, 'path')]),
      ...(query === undefined ? [] : [compileParameters(query, 'query')]),
      ...(headers === undefined ? [] : [compileParameters(headers, 'header')]),
    ],
    body: {
      ...limits(body),
      required,
      contents: types === null ? null : [{ takes: compileMediaTypes(types), check }],
      accept: (types ?? []).join(', '),
    },
  }
}

/** The requirements of an operation of an OpenAPI document, combined with the route's rules for bodies. */
export function describedOperation(described: DescribedOperation, { body }: ValidationOptions): Operation {
  const { contents, accept, bodyRequired } = described
  const listed = body.types === undefined ? null : compileMediaTypes(body.types)
  return {
    parameters: described.parameters,
    body: {
      ...limits(body),
      required: body.required ?? bodyRequired,
      contents:
        listed === null
          ? contents
          : contents.map(({ takes, check }) => ({ takes: (type) => listed(type) && takes(type), check })),
      accept: body.types === undefined ? accept : body.types.join(', '),
    },
  }
}

/** Names of the headers that are validated. */
export function checkedFields({ headers, openapi }: ValidationOptions): string[] {
  const own = headers === undefined ? [] : [compileParameters(headers, 'header')]
  const operations = openapi === undefined ? [] : describeDocument(openapi.document).operations
  return [...own, ...operations.flatMap(({ parameters }) => parameters)]
    .filter(({ place }) => place === 'header')
    .flatMap(({ parameters }) => parameters.map(({ name }) => name))
}

function limits({ limit }: ValidationOptions['body']): Pick<BodyRule, 'limit' | 'checkedLimit'> {
  return { limit: limit ?? Number.POSITIVE_INFINITY, checkedLimit: limit ?? CHECKED }
}
