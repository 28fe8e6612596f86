import { examplesOf } from '../src/commands/command.ts'
import { allOf, type CommandFacts, factsOf } from '../src/commands/command-tree.ts'
import { wholeProgram } from '../src/commands/program.ts'

/** Every command with its arguments, options and examples, as Markdown. */
export async function cliReference(): Promise<string> {
  const program = await wholeProgram()
  const commands = allOf(factsOf(program)).filter(({ children }) => children.length === 0)
  return `# Every command

Made from the commands by \`npm run schema\`. [The command line](command-line.md) says what they are for, and what their exit codes mean.

${commands.map(section).join('\n')}`
}

function section({ command, path }: CommandFacts): string {
  const help = command.createHelp()
  const name = `sallyport ${path.join(' ')}`
  const args = help.visibleArguments(command).map((each) => [help.argumentTerm(each), help.argumentDescription(each)])
  const options = help.visibleOptions(command).map((each) => [help.optionTerm(each), help.optionDescription(each)])
  const examples = examplesOf(command).map(([line, what]) => `    # ${what}\n    ${line}\n`)
  return `## \`${name}\`

${command.description()}

    ${help.commandUsage(command)}

${table('argument', args)}${table('option', options)}${examples.join('')}`
}

function table(what: string, rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return ''
  const lines = rows.map(([term = '', text = '']) => `| \`${term}\` | ${text.replaceAll('|', String.raw`\|`)} |`)
  return `| ${what} | what it is |\n| --- | --- |\n${lines.join('\n')}\n\n`
}
