import { operatorEndpoints } from '../policies/operators.ts'
import type { AdminApp } from './app.ts'
import type { AdminContext } from './context.ts'

/** Operator actions that policies provide. */
export function policyEndpoints(app: AdminApp, { threads, everywhere, log }: AdminContext): void {
  for (const endpoint of operatorEndpoints) {
    const {
      method,
      path: url,
      summary,
      description,
      tag,
      params,
      query: querystring,
      body,
      status,
      schema,
      role,
    } = endpoint
    app.route({
      method,
      url,
      ...(role !== undefined && { config: { role } }),
      schema: {
        summary,
        ...(description !== undefined && { description }),
        tags: [tag],
        ...(params !== undefined && { params }),
        ...(querystring !== undefined && { querystring }),
        ...(body !== undefined && { body }),
        response: { [status]: schema },
      },
      handler: async ({ params: named, query, body: sent }, reply) =>
        reply
          .code(status)
          .send(await endpoint.answer({ params: named, query, body: sent }, { threads, everywhere, log })),
    })
  }
}
