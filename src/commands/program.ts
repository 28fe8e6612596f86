import { Command, CommanderError } from 'commander'
import { ConfigError } from '../config/problems.ts'
import { codeOf } from '../core/error-facts.ts'
import { version } from '../core/version.ts'
import { CommandError, UsageError } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { commands } from './index.ts'

/** Runs a command as the purpose of this process; resolves with the exit code. `args` are the words after "sallyport". */
export function run(args: readonly string[]): Promise<number> {
  if (!commands.some(({ name, outlivesReader }) => outlivesReader === true && args.includes(name))) endWithReader()
  return runCommand(args)
}

/** Runs a command, reporting errors to the standard error; resolves with the exit code. */
export async function runCommand(args: readonly string[]): Promise<number> {
  let code: number = exitCodes.done
  const program = await programFor(args, (other) => void (code = other))
  let selected = program
  program.hook('preAction', (_, command) => void (selected = command))
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof UsageError) {
      console.error(`error: ${error.message}\n${usageOf(selected)}`)
      return exitCodes.usage
    }
    // The library has already reported the error, or has shown the requested help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    if (!(error instanceof ConfigError) && !(error instanceof CommandError)) throw error
    console.error(error.message)
    return exitCodes.failed
  }
}

/** Ends the process once the reader of its standard output has gone, as `head` does after its lines. */
function endWithReader(): void {
  process.stdout.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') throw error
    process.exit(exitCodes.done)
  })
}

/** All commands with their options, for documentation. */
export function wholeProgram(): Promise<Command> {
  return programFor(
    commands.map(({ name }) => name),
    () => {},
  )
}

/** The commands with their options; commands that are not called have only their names. */
async function programFor(args: readonly string[], finish: (code: number) => void): Promise<Command> {
  const program = new Command('sallyport')
    .usage('<command> [options]')
    .description('A self-hosted API gateway.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this text')
    .helpCommand('help [command]', 'print the help for a command')
    .addHelpText('after', `\n${EXIT_CODES}`)
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
  const all = commands.some(({ name, aboutAll }) => aboutAll === true && args.includes(name))
  for (const { name, summary, load } of commands) {
    const command = program.command(name).summary(summary)
    if (all || args.includes(name)) (await load())(command, finish)
  }
  for (const command of withSubcommands(program)) command.showHelpAfterError(usageOf(command))
  return program
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

/** Follows an error in a command line. It is not the whole help, which would push the error off the screen. */
function usageOf(command: Command): string {
  const names: string[] = []
  for (let each: Command | null = command; each !== null; each = each.parent) names.unshift(each.name())
  const name = names.join(' ')
  const lists = command.commands.length === 0 ? 'options' : 'commands'
  return `\nUsage: ${name} ${command.usage()}\n\n${name} --help lists the ${lists}.`
}

const EXIT_CODES = `Exit codes:
  ${exitCodes.done}   done
  ${exitCodes.failed}   failed: for example, the configuration is not valid, an address is in use, or a request was refused
  ${exitCodes.different}   done, and there are differences (commands that compare)
  ${exitCodes.incomplete}   done, but something had to be left out (commands that convert), or some gateways may not have done it
  ${exitCodes.usage}  the command line is not valid`
