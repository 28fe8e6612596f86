import { type Fields, fieldOf, isFields, itemsOf } from '../src/core/value.ts'

interface Row {
  readonly key: string
  readonly description: string
}

const HEAD = `# Reference of the configuration

Every key, from the schema; written by \`npm run schema\`. [Configuration](configuration.md) says how they are written.
\`name\` stands for a name of your own, \`[]\` for each item of a list. Where something else than a map or list may be given, as
\`false\` or a size alone, the description says so.
`

/** Every key of the configuration with its description, as a page of the documentation. */
export function configReference(schema: Fields): string {
  const sections = Object.entries(fields(schema)).flatMap(([name, section]) => {
    if (name !== 'policies') return [sectionOf(name, section)]
    return Object.entries(fields(section)).map(([policy, each]) => sectionOf(`policies.${policy}`, each))
  })
  return [HEAD, ...sections].join('\n')
}

function sectionOf(name: string, section: unknown): string {
  const rows = rowsBelow(name, section)
  const title = `## ${name}\n\n${textOf(section)}\n`
  if (rows.length === 0) return title
  const lines = rows.map(({ key, description }) => `| \`${key}\` | ${description} |`)
  return `${title}\n| key | meaning |\n| --- | --- |\n${lines.join('\n')}\n`
}

/** The keys below one; what several forms of a value share is there once. */
function rowsBelow(path: string, schema: unknown): Row[] {
  // What a route may say of policies is said of policies.
  if (path === 'routes[].policies') return []
  const rows = [
    ...Object.entries(fields(schema)).flatMap(([name, field]) => {
      const key = `${path}.${name}`
      return [[{ key, description: textOf(field) }], rowsBelow(key, field)].flat()
    }),
    ...itemsOf(fieldOf(schema, 'anyOf')).flatMap((form) => rowsBelow(path, form)),
    ...(isFields(fieldOf(schema, 'items')) ? rowsBelow(`${path}[]`, fieldOf(schema, 'items')) : []),
    ...(isFields(fieldOf(schema, 'additionalProperties'))
      ? rowsBelow(`${path}.name`, fieldOf(schema, 'additionalProperties'))
      : []),
  ]
  return [...new Map(rows.toReversed().map((row) => [row.key, row])).values()].toReversed()
}

function fields(schema: unknown): Fields {
  const properties = fieldOf(schema, 'properties')
  return isFields(properties) ? properties : {}
}

function textOf(schema: unknown): string {
  const description = fieldOf(schema, 'description')
  const parts = (typeof description === 'string' ? description : '').split(/(`[^`]*`)/)
  return parts.map((part, i) => (i % 2 === 1 ? part : part.replaceAll(/[|*<>[\]_{}]/g, '\\$&'))).join('')
}
