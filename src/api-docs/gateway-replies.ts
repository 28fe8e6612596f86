import { present } from '../core/present.ts'
import type { DocsObject, FieldDocs, RefusalDocs } from '../policies/policy-docs.ts'
import { type ErrorCode, errorKind, type ErrorKind } from '../core/errors.ts'
import { PROBLEM } from './schema-names.ts'
import type { ComponentSet } from './component-set.ts'

/** Schema of the gateway's error replies (RFC 9457 section 3.1). */
export const problemSchema: DocsObject = {
  type: 'object',
  description: 'What went wrong, as a problem document (RFC 9457).',
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Identifies the kind of problem.' },
    title: { type: 'string', description: 'A short description of the kind of problem.' },
    status: { type: 'integer', minimum: 400, maximum: 599, description: 'The status of the reply.' },
    detail: { type: 'string', description: 'What happened, to what, and what to do.' },
    instance: { type: 'string', format: 'uri-reference', description: 'The correlation ID of the request.' },
  },
  required: ['type', 'title', 'status', 'instance'],
}

/** Errors that may occur on the way to a service, independently of policies. */
export const serviceRefusals: readonly RefusalDocs[] = [
  { code: 'service-unavailable', description: 'No instance of the service can be reached.' },
]

/** Errors that may occur for a request with a body. */
export const bodyRefusals: readonly RefusalDocs[] = [
  { code: 'content-too-large', description: 'The body is larger than allowed.' },
]

/** Statuses with which the gateway replies instead of the service, which is not even asked. */
const INSTEAD = new Set([401, 429])

const PROBLEM_TYPE = 'application/problem+json'

/** Successful replies, for which the headers added to every reply are documented. */
const SUCCESS = /^[23]/

/** The error replies of the gateway, and the headers that it adds to other replies. */
export class GatewayReplies {
  private readonly responses: ComponentSet
  private readonly headers: ComponentSet

  constructor(responses: ComponentSet, headers: ComponentSet) {
    this.responses = responses
    this.headers = headers
  }

  /** The replies of an operation, extended by those of the gateway. */
  around(
    replies: Readonly<Record<string, DocsObject>>,
    refusals: readonly RefusalDocs[],
    fields: readonly FieldDocs[],
  ): DocsObject {
    const all = new Map(
      Object.entries(replies).map(([status, reply]) => [
        status,
        SUCCESS.test(status) ? this.withFields(reply, fields) : reply,
      ]),
    )
    for (const [status, group] of Map.groupBy(refusals, ({ code }) => errorKind(code).status)) {
      const reply = all.get(String(status))
      all.set(String(status), INSTEAD.has(status) || reply === undefined ? this.refusal(group) : withProblem(reply))
    }
    if (!all.has('default')) all.set('default', this.other())
    return Object.fromEntries(all)
  }

  private refusal(group: readonly RefusalDocs[]): DocsObject {
    const kind = errorKind(present(group[0], 'refusal').code)
    const description = [...new Set(group.map((refusal) => refusal.description))].join(' ')
    const reply = { description, content: problemContent(exampleOf(kind)) }
    const fields = group.flatMap((refusal) => refusal.fields ?? [])
    return this.responses.refer(kind.code, this.withFields(reply, fields))
  }

  private other(): DocsObject {
    const content = problemContent(exampleOf('bad-gateway'))
    return this.responses.refer('problem', { description: 'Any other error of the gateway.', content })
  }

  /** Headers are added after those that are already documented. */
  private withFields(reply: DocsObject, fields: readonly FieldDocs[]): DocsObject {
    if (fields.length === 0) return reply
    const own = Object.entries(reply['headers'] ?? {})
    const known = new Set(own.map(([name]) => name.toLowerCase()))
    const added = fields
      .filter(({ name }) => !known.has(name.toLowerCase()))
      .map(({ name, description, example }) => [
        name,
        this.headers.refer(name, { description, schema: { type: 'string' }, example }),
      ])
    return { ...reply, headers: Object.fromEntries([...own, ...added]) }
  }
}

/** The service uses that status as well, possibly with a different format. */
function withProblem(reply: DocsObject): DocsObject {
  const content = { ...problemContent(), ...Object.fromEntries(Object.entries(reply['content'] ?? {})) }
  return { ...reply, content }
}

function problemContent(example?: DocsObject): DocsObject {
  const schema = { $ref: `#/components/schemas/${PROBLEM}` }
  return { [PROBLEM_TYPE]: { schema, ...(example && { example }) } }
}

function exampleOf(what: ErrorCode | ErrorKind): DocsObject {
  const { status, title, type } = errorKind(what)
  return { type, title, status, instance: '5f0c1f8e-9f0b-4a5e-8a59-0c4b1c1f3a77' }
}
