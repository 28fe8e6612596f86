import { Argument, type Command } from 'commander'
import { logLevels } from '../core/logger.ts'
import { addExamples } from './command.ts'
import {
  addReplicaOptions,
  runOnReplicas,
  type ReplicaCommandOptions,
  replicaResultsSchema,
} from './run-on-replicas.ts'

/** `sallyport log-level`: changes what a running gateway logs. */
export function defineLogLevel(command: Command, finish: (code: number) => void): void {
  command
    .description(
      'Changes the log level until the gateway stops or its configuration changes the level. Applies to all gateways that share a Redis.',
    )
    .addArgument(new Argument('<level>', 'the lowest level that is logged').choices([...logLevels]))
  addReplicaOptions(command).action(async (level: string, options: ReplicaCommandOptions) => {
    const question = { path: '/log-level', method: 'PUT', body: JSON.stringify({ level }) } as const
    finish(await runOnReplicas(options, question, replicaResultsSchema, () => `The log level is ${level}.`))
  })
  addExamples(command, [['sallyport log-level debug', 'to investigate a problem']])
}
