import { definePolicy } from '../policy.ts'
import { endpointOf } from '../../core/endpoint.ts'
import { checkRequest } from './operation.ts'
import { compileOperations } from './operations.ts'
import { compilingSchemas, skippedPatterns, validationOptions } from './options.ts'
import { Reporter, reportRequest } from './report.ts'
import { checkedFields, describedOperation, ownOperation } from './rules.ts'

/** Refuses invalid requests before the service sees them. */
export const validation = definePolicy({
  name: 'validation',
  summary: 'Validates requests against limits, media types, JSON Schemas or an OpenAPI document.',
  options: validationOptions,
  documents: [['body', 'schema'], ['query'], ['path'], ['headers'], ['openapi', 'document']],
  bodyLimit: ({ mode, body: { limit } }) =>
    limit === undefined ? null : { bytes: limit, enforced: mode === 'enforce' },
  warnings: skippedPatterns,
  fields: checkedFields,
  prepare: compilingSchemas,
  // A report contains the path of the route.
  isShared: ({ mode }) => mode === 'enforce',
  create(options, { metrics, log }, route) {
    // Requests that match no route are refused in any case.
    if (route.id === '') return (inner) => inner
    const own = options.openapi === undefined ? ownOperation(options) : null
    const find =
      options.openapi === undefined
        ? null
        : compileOperations(options.openapi, (described) => describedOperation(described, options))
    if (options.mode === 'report') {
      const reporter = new Reporter(metrics, log, endpointOf(route.pattern))
      return (inner) => (exchange) => {
        const found = find === null ? null : reporter.watch(exchange, () => find(exchange))
        const operation = own ?? found?.operation
        if (operation !== undefined) reportRequest(exchange, operation, found?.params ?? exchange.params, reporter)
        return inner(exchange)
      }
    }
    return (inner) => (exchange) => {
      const found = find === null ? null : find(exchange)
      const operation = own ?? found?.operation
      if (operation === undefined) return inner(exchange)
      const checking = checkRequest(exchange, operation, found?.params ?? exchange.params)
      return checking === null ? inner(exchange) : checking.then(() => inner(exchange))
    }
  },
})
