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
      'Takes an instance of a service out: it gets no new requests, and those in flight end. In all gateways that share a Redis.',
    )
    .option('--force', 'even where it is the last one that can be used')
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
    'Takes an instance back that was drained: it gets requests when its health allows it. In all gateways that share a Redis.',
  )
  addReplicaOptions(command).action(async (service: string, instance: string, options: ReplicaCommandOptions) => {
    finish(
      await runOnReplicas(
        options,
        { path: pathOf(service, instance), method: 'DELETE' },
        replicaResultsSchema,
        () => `${instance} of ${service} is taken back.`,
      ),
    )
  })
  addExamples(command, [['sallyport undrain user-service 10.0.0.7:8001', 'when it is there again']])
}

function place(command: Command): Command {
  return command
    .argument('<service>', 'its name in the configuration')
    .argument('<instance>', 'host and port, as GET /services has it')
}

function pathOf(service: string, instance: string): string {
  return `/services/${encodeURIComponent(service)}/instances/${encodeURIComponent(instance)}/drain`
}
