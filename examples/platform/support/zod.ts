import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyBaseLogger, FastifyInstance, FastifyTypeProvider, RawServerDefault } from 'fastify'
import type { z } from 'zod'
import { Problem } from './problem.ts'

/** What a zod schema accepts is what a handler gets, and what it takes is what a handler may return. */
interface ZodTypes extends FastifyTypeProvider {
  readonly validator: this['schema'] extends z.ZodType ? z.output<this['schema']> : unknown
  readonly serializer: this['schema'] extends z.ZodType ? z.input<this['schema']> : unknown
}

/** A server whose routes say with zod schemas what they take and give. */
export type App = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, FastifyBaseLogger, ZodTypes>

/** Has requests checked by the zod schemas of their routes, and replies hold what the schemas say and nothing else. */
export function useZod(app: App): void {
  app.setValidatorCompiler<z.ZodType>(({ schema, httpPart }) => (value: unknown) => {
    const { data, error } = schema.safeParse(value ?? undefined, {
      error: ({ input }) => (input === undefined ? 'is required' : undefined),
    })
    return error ? { error: refusal(httpPart, error) } : { value: data }
  })
  app.setSerializerCompiler<z.ZodType>(
    ({ schema }) =>
      (value) =>
        JSON.stringify(schema.parse(value)),
  )
}

function refusal(part: string | undefined, { issues }: z.ZodError): Problem {
  const errors = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({ pointer: pointerTo([...issue.path, key]), detail: 'is not known' }))
      : { pointer: pointerTo(issue.path), detail: issue.message },
  )
  if (part === 'body') return new Problem(422, 'The body is not what this endpoint takes.', { errors })
  return new Problem(400, 'The query is not what this endpoint takes.', { errors })
}

/** A JSON pointer as a URI fragment (RFC 6901 section 6). */
function pointerTo(path: readonly PropertyKey[]): string {
  const steps = path.map((key) => encodeURIComponent(String(key).replaceAll('~', '~0').replaceAll('/', '~1')))
  return ['#', ...steps].join('/')
}
