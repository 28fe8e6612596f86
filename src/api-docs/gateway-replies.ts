import type { DocsObject, FieldDocs, RefusalDocs } from '../core/api-docs.ts'
import { type ErrorEntry, errorTable } from '../core/errors.ts'
import { PROBLEM } from './schema-names.ts'
import type { Shelf } from './shelf.ts'

/** Schema of the gateway's error replies (RFC 9457 section 3.1). */
export const problemSchema: DocsObject = {
  type: 'object',
  description: 'What went wrong, as a problem document (RFC 9457).',
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Identifies the kind of problem.' },
    title: { type: 'string', description: 'The kind of problem in words.' },
    status: { type: 'integer', minimum: 400, maximum: 599, description: 'The status of the reply.' },
    detail: { type: 'string', description: 'What happened, to what, and what to do.' },
    instance: { type: 'string', format: 'uri-reference', description: 'The correlation id of the request.' },
  },
  required: ['type', 'title', 'status', 'instance'],
}

/** What may be refused on the way to a service, whatever the policies say. */
export const serviceRefusals: readonly RefusalDocs[] = [
  { code: 'service-unavailable', description: 'No instance of the service can be reached.' },
]

/** What may be refused of a request with a body. */
export const bodyRefusals: readonly RefusalDocs[] = [
  { code: 'content-too-large', description: 'The body is larger than is allowed.' },
]

/** Statuses with which the gateway answers in place of the service: it is not even asked. */
const INSTEAD = new Set([401, 429])

const PROBLEM_TYPE = 'application/problem+json'

/** The error replies of the gateway, and the fields that it puts on others. */
export class GatewayReplies {
  private readonly responses: Shelf
  private readonly headers: Shelf

  constructor(responses: Shelf, headers: Shelf) {
    this.responses = responses
    this.headers = headers
  }

  /** The replies of an operation with what the gateway adds to them. */
  around(
    replies: Readonly<Record<string, DocsObject>>,
    refusals: readonly RefusalDocs[],
    fields: readonly FieldDocs[],
  ): DocsObject {
    const all = new Map(Object.entries(replies).map(([status, reply]) => [status, this.withFields(reply, fields)]))
    for (const [status, group] of Map.groupBy(refusals, ({ code }) => errorTable[code].status)) {
      const reply = all.get(String(status))
      const added = INSTEAD.has(status) || reply === undefined ? this.refusal(group, fields) : withProblem(reply)
      all.set(String(status), added)
    }
    if (!all.has('default')) all.set('default', this.other(fields))
    return Object.fromEntries(all)
  }

  private refusal(group: readonly RefusalDocs[], fields: readonly FieldDocs[]): DocsObject {
    const { code } = group[0]!
    const { status, title, type = `urn:sallyport:error:${code}` }: ErrorEntry = errorTable[code]
    const reply = {
      description: [...new Set(group.map(({ description }) => description))].join(' '),
      content: problemContent({ type, title, status, instance: '5f0c1f8e-9f0b-4a5e-8a59-0c4b1c1f3a77' }),
    }
    const own = [...group.flatMap((refusal) => refusal.fields ?? []), ...fields]
    return this.responses.refer(code, this.withFields(reply, own))
  }

  private other(fields: readonly FieldDocs[]): DocsObject {
    const reply = { description: 'Any other error of the gateway.', content: problemContent() }
    return this.responses.refer('problem', this.withFields(reply, fields))
  }

  /** The fields are put after those that the service documents itself. */
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

/** The service answers with that status as well, perhaps in another form. */
function withProblem(reply: DocsObject): DocsObject {
  const content = { ...problemContent(), ...Object.fromEntries(Object.entries(reply['content'] ?? {})) }
  return { ...reply, content }
}

function problemContent(example?: DocsObject): DocsObject {
  const schema = { $ref: `#/components/schemas/${PROBLEM}` }
  return { [PROBLEM_TYPE]: { schema, ...(example && { example }) } }
}
