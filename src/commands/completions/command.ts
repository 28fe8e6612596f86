import { Argument, type Command } from 'commander'
import { addExamples } from '../command.ts'
import { allOf, type CommandFacts, factsOf } from '../command-tree.ts'
import { bashCompletions } from './bash.ts'
import { fishCompletions } from './fish.ts'
import { zshCompletions } from './zsh.ts'

/** Generates the script of each shell from the commands, each before its subcommands. */
const shells = { bash: bashCompletions, zsh: zshCompletions, fish: fishCompletions } satisfies Readonly<
  Record<string, (all: readonly CommandFacts[]) => string>
>

/** `sallyport completions`: prints a completion script for a shell. */
export function defineCompletions(command: Command): void {
  command
    .description('Prints a script for the tab completion of commands, options and files in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(Object.keys(shells)))
    .action((shell: keyof typeof shells) => {
      if (command.parent !== null) process.stdout.write(shells[shell](allOf(factsOf(command.parent))))
    })
  addExamples(command, [
    ['eval "$(sallyport completions bash)"', 'in ~/.bashrc'],
    ['eval "$(sallyport completions zsh)"', 'in ~/.zshrc, after compinit'],
    ['sallyport completions fish > ~/.config/fish/completions/sallyport.fish', 'once, for fish'],
  ])
}
