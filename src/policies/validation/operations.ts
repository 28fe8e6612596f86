import type { JsonDocument } from '../../core/document.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../http/exchange.ts'
import { ambiguousPath, formsOf, READ_AMBIGUOUSLY, SPELLED_AMBIGUOUSLY } from '../../http/path-forms.ts'
import { isSameMatch } from '../../routing/router.ts'
import { type DescribedOperation, describeDocument } from './openapi.ts'
import { compileTemplates, type TemplateSearch } from './template-search.ts'

/** The operation of a request, and the values of its path parameters. */
export interface Found<T> {
  readonly operation: T
  readonly params: Readonly<Record<string, string>>
}

/** A document, and how it is applied. */
export interface OperationsOptions {
  readonly document: JsonDocument
  /** The prefix of the document's paths for clients; by default the path of its first server. */
  readonly basePath?: string | undefined
  /** What happens to requests that the document does not describe. */
  readonly unknown: 'refuse' | 'pass'
}

/**
 * Compiles a document into a lookup of the operation of a request: null if the document does not describe the request and it may
 * pass. Throws UnusableSchema; the lookup throws GatewayError 'not-found' or 'method-not-allowed', and 'bad-request' if the
 * operation depends on how the path is encoded or read.
 */
export function compileOperations<T>(
  { document, basePath, unknown }: OperationsOptions,
  operationOf: (described: DescribedOperation) => T,
): (exchange: Exchange) => Found<T> | null {
  const description = describeDocument(document)
  const prefix = (basePath ?? description.basePath).replace(/\/+$/, '')
  const search = compileTemplates(
    prefix,
    description.operations.map((described) => ({
      template: described.template,
      method: described.method,
      declared: described.parameters.flatMap(({ place, parameters }) => {
        return place === 'path' ? parameters.map(({ name }) => name) : []
      }),
      value: operationOf(described),
    })),
  )
  return (exchange) => {
    const { path, method, headers } = exchange
    const match = search(path, method, headers)
    const forms = formsOf(exchange)
    if (forms !== null) {
      const find = (form: string): Match<T> => search(form, method, headers)
      if (forms.written !== null && !isSameMatch(match, find(forms.written))) throw ambiguousPath(SPELLED_AMBIGUOUSLY)
      if (forms.others.some((other) => leadsElsewhere(match, find(other)))) throw ambiguousPath(READ_AMBIGUOUSLY)
    }
    if (match.found) return { operation: match.value, params: match.params }
    if (unknown === 'pass') return null
    const allow = match.allow.join(', ')
    if (allow === '') throw new GatewayError('not-found', 'The API description has no such path.')
    throw new GatewayError('method-not-allowed', `The method ${method} is not allowed here; allowed: ${allow}.`, {
      headers: [['Allow', allow]],
    })
  }
}

type Match<T> = ReturnType<TemplateSearch<T>>

function leadsElsewhere<T>(found: Match<T>, other: Match<T>): boolean {
  return other.found && (!found.found || other.value !== found.value)
}
