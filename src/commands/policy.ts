import type { Command } from 'commander'
import { addExamples, UsageError } from './command.ts'
import { newPolicy } from './new-policy.ts'
import { listOf, writeNew } from './write-new.ts'

/** `sallyport policy`: commands for custom policies. */
export function definePolicyCommands(command: Command): void {
  command.description('Creates custom policies: TypeScript that runs around each request.')
  const made = command
    .command('new')
    .summary('create a policy and its test')
    .description('Creates a policy and its test in the folder "policies". Existing files are never overwritten.')
    .argument('<name>', 'its name in the configuration, such as tenant-header')
    .action(async (name: string) => {
      const files = newPolicy(name)
      const { policies } = await import('../policies/index.ts')
      if (policies.some((policy) => policy.name === name))
        throw new UsageError(`${JSON.stringify(name)} is the name of a built-in policy: choose another one.`)
      writeNew('.', files, 'choose another name')
      console.log(
        `${listOf('.', files)}\n\nTo use it, add these lines to the configuration:\n\n` +
          `ownPolicies:\n  - ./policies/${name}.ts\npolicies:\n  ${name}: {}`,
      )
    })
  addExamples(made, [['sallyport policy new tenant-header', 'policies/tenant-header.ts and its test']])
}
