import type { Command } from 'commander'
import { addExamples } from './command.ts'
import { newPolicy } from './new-policy.ts'
import { listOf, writeNew } from './write-new.ts'

/** `sallyport policy`: commands for custom policies. */
export function definePolicyCommands(command: Command): void {
  command.description('Creates policies of your own: TypeScript that runs around each request.')
  const made = command
    .command('new')
    .summary('write a policy and its test')
    .description('Writes a policy of that name and its test into the folder "policies". Nothing is written over.')
    .argument('<name>', 'what it is called in the configuration, such as tenant-header')
    .action((name: string) => {
      const files = newPolicy(name)
      writeNew('.', files, 'choose another name')
      console.log(
        `${listOf('.', files)}\n\nThe configuration has it with these lines:\n\n` +
          `ownPolicies:\n  - ./policies/${name}.ts\npolicies:\n  ${name}: {}`,
      )
    })
  addExamples(made, [['sallyport policy new tenant-header', 'policies/tenant-header.ts and its test']])
}
