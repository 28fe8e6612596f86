import type { JsonDocument } from '../../core/document.ts'
import { GatewayError } from '../../core/errors.ts'
import type { Exchange } from '../../core/exchange.ts'
import { ambiguousPath, formsOf, READ_AMBIGUOUSLY, SPELLED_AMBIGUOUSLY } from '../../core/path-forms.ts'
import { createRouter, isSameMatch, type Router } from '../../routing/router.ts'
import { type DescribedOperation, describeDocument } from './openapi.ts'
import { UnusableSchema } from './schema.ts'

/** What was made of the operation of a request, and the values of its path parameters. */
export interface Found<T> {
  readonly operation: T
  readonly params: Readonly<Record<string, string>>
}

/** A document, and where and how strictly it holds. */
export interface OperationsOptions {
  readonly document: JsonDocument
  /** What stands before the document's paths in those of clients; where not given, the path of its first server. */
  readonly basePath?: string | undefined
  /** What becomes of requests that the document does not know. */
  readonly unknown: 'refuse' | 'pass'
}

/**
 * Compiles a document into the search for the operation of a request: null where it knows none and lets it pass.
 * Throws UnusableSchema; the search throws GatewayError 'not-found' or 'method-not-allowed', and 'bad-request' where the
 * operation depends on how the path is written or read.
 */
export function compileOperations<T>(
  { document, basePath, unknown }: OperationsOptions,
  operationOf: (described: DescribedOperation) => T,
): (exchange: Exchange) => Found<T> | null {
  const description = describeDocument(document)
  const prefix = (basePath ?? description.basePath).replace(/\/+$/, '')
  const router = createRouter(
    description.operations.map((described) => {
      const { pattern, names } = patternOf(prefix, described.template)
      return {
        match: { path: [pattern], method: [described.method] },
        value: { operation: operationOf(described), names },
      }
    }),
  )
  return (exchange) => {
    const { path, method, headers } = exchange
    const match = router.find('', path, method, headers, '')
    const forms = formsOf(exchange)
    if (forms !== null) {
      const find = (form: string): Match<T> => router.find('', form, method, headers, '')
      if (forms.written !== null && !isSameMatch(match, find(forms.written))) throw ambiguousPath(SPELLED_AMBIGUOUSLY)
      if (forms.others.some((other) => leadsElsewhere(match, find(other)))) throw ambiguousPath(READ_AMBIGUOUSLY)
    }
    if (match.found) {
      const { operation, names } = match.value
      return { operation, params: Object.fromEntries(names.map((name, i) => [name, match.params[`p${i}`] ?? ''])) }
    }
    if (unknown === 'pass') return null
    const allow = match.allow.join(', ')
    if (allow === '') throw new GatewayError('not-found', 'The description of the API has no such path.')
    throw new GatewayError('method-not-allowed', `The method ${method} is not allowed here; allowed: ${allow}.`, {
      headers: [['Allow', allow]],
    })
  }
}

type Match<T> = ReturnType<Router<{ readonly operation: T }>['find']>

function leadsElsewhere<T>(found: Match<T>, other: Match<T>): boolean {
  return other.found && (!found.found || other.value !== found.value)
}

/** The template as a pattern of the router, whose parameters have names of their own: the document's may be any text. */
function patternOf(prefix: string, template: string): { pattern: string; names: string[] } {
  const names: string[] = []
  const pattern = template
    .split('/')
    .map((segment) => {
      const name = /^\{([^{}]+)\}$/.exec(segment)?.[1]
      if (name !== undefined) return `{p${names.push(name) - 1}}`
      if (/[{}]/.test(segment))
        throw new UnusableSchema(
          `has the path ${JSON.stringify(template)}; expected parameters that are whole segments`,
        )
      return segment.replaceAll('*', '%2A')
    })
    .join('/')
  return { pattern: prefix + pattern, names }
}
