import type { Command } from 'commander'
import { addExamples } from './command.ts'
import {
  addReplicaOptions,
  runOnReplicas,
  type ReplicaCommandOptions,
  replicaResultsSchema,
} from './run-on-replicas.ts'

interface Options extends ReplicaCommandOptions {
  readonly force?: true
}

/** `sallyport drain`: takes an instance out of rotation. */
export function defineDrain(command: Command, finish: (code: number) => void): void {
  place(command)
    .description(
      'Drains an instance of a service: it gets no new requests, and requests in flight finish. Applies to all gateways that share a Redis.',
    )
    .option('--force', 'even if it is the last usable instance')
  addReplicaOptions(command).action(async (service: string, instance: string, options: Options) => {
    const path = `${pathOf(service, instance)}${options.force === true ? '?force=true' : ''}`
    finish(
      await runOnReplicas(
        options,
        { path, method: 'PUT', body: '' },
        replicaResultsSchema,
        () => `${instance} of ${service} is drained: it gets no new requests.`,
      ),
    )
  })
  addExamples(command, [['sallyport drain user-service 10.0.0.7:8001', 'before the instance is stopped']])
}

/** `sallyport undrain`: puts it back. */
export function defineUndrain(command: Command, finish: (code: number) => void): void {
  place(command).description(
    'Puts a drained instance back into service: it gets requests again when it is healthy. Applies to all gateways that share a Redis.',
  )
  addReplicaOptions(command).action(async (service: string, instance: string, options: ReplicaCommandOptions) => {
    finish(
      await runOnReplicas(
        options,
        { path: pathOf(service, instance), method: 'DELETE' },
        replicaResultsSchema,
        () => `${instance} of ${service} is back in use.`,
      ),
    )
  })
  addExamples(command, [['sallyport undrain user-service 10.0.0.7:8001', 'when the instance runs again']])
}

function place(command: Command): Command {
  return command
    .argument('<service>', 'its name in the configuration')
    .argument('<instance>', 'host and port, as shown by GET /services')
}

function pathOf(service: string, instance: string): string {
  return `/services/${encodeURIComponent(service)}/instances/${encodeURIComponent(instance)}/drain`
}
