import { refusedFrom, renamedKeys } from '../../src/config/renamed-keys.ts'
import { type Fields, fieldOf } from '../../src/core/value.ts'
import { linkTo, sectionsOf, type Section, TOP } from './sections.ts'
import { tableOf } from './table.ts'
import { proseOf } from './text.ts'

const HEAD = `# Reference of the configuration

Every key of \`sallyport.yaml\`, with its value, its default and an example. \`npm run schema\` writes this page from the schema that the gateway
checks configurations with. [Configuration](configuration.md) says how a file is written.

- In a title, \`name\` stands for a name of your own, and \`[]\` for each item of a list.
- Units: a **duration** is a number with \`ms\`, \`s\`, \`m\`, \`h\` or \`d\`, at most \`3650d\`, and above 0 unless \`0s\` is allowed. A **size** is a number
  with \`b\`, \`kb\`, \`mb\` or \`gb\`, above 0; a \`kb\` has 1024 bytes. A **rate** is a number of requests in a time: \`100/m\`, \`10/30s\`, with \`s\`, \`m\`,
  \`h\` or \`d\`. A **percentage** is above \`0%\`, and at most \`100%\`.
- Wherever a number, true or false, or one of several words is expected, a [variable](configuration.md#variables) may stand in its place.
- A change takes effect with a [reload](reload.md), unless the key says **restart**.
- Default **required**: the key must be given where its map is. "–": none; the keys of a map have their own.
`

/** Every key of the configuration, as a page of the documentation. */
export function configReference(schema: Fields): string {
  const sections = sectionsOf(schema)
  return [HEAD, contentsOf(sections), ...sections.map(sectionText), renamedKeysText()].join('\n')
}

/** The first two levels: deeper ones are linked from the tables. */
function contentsOf(sections: readonly Section[]): string {
  const lines = sections
    .filter(({ level }) => level < 3)
    .map(({ title, level }) => `${level === 1 ? '' : '  '}- ${linkTo(title, title)}`)
  return `## Contents\n\n${lines.join('\n')}\n- [Renamed keys](#renamed-keys)\n`
}

function sectionText(section: Section): string {
  const { title, level, schema } = section
  const heading = `${'#'.repeat(level + 1)} ${title === TOP ? title : `\`${title}\``}`
  const blocks = [heading, proseOf(fieldOf(schema, 'description')), tableOf(section)]
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`
}

function renamedKeysText(): string {
  const rows = renamedKeys.map((key) => {
    const pathOf = (name: string): string => [...key.map, name].map((step) => (step === '*' ? 'name' : step)).join('.')
    return `| \`${pathOf(key.old)}\` | \`${pathOf(key.current)}\` | ${refusedFrom(key)} |`
  })
  return `## Renamed keys

[Old names](configuration.md#renamed-keys) work, with a warning, until a version refuses them.

| old name | new name | refused from |
| --- | --- | --- |
${rows.join('\n')}
`
}
