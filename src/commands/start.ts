import type { Command } from 'commander'
import { addExamples, configOption } from './command.ts'
import type { StartOptions } from './run-start.ts'

/** `sallyport start`: runs the gateway until a signal stops it, then lets requests in flight finish. */
export function defineStart(command: Command): void {
  command
    .description(
      'Runs the gateway until SIGTERM, SIGINT or SIGQUIT, then lets requests in flight finish. SIGHUP reloads its configuration.',
    )
    .addOption(configOption())
    .option('--watch', 'reload whenever the configuration changes, as with reload.watch')
    .option(
      '--state-dir <folder>',
      'save the last good configuration there, and start with it if the file is refused, as with reload.stateDir',
    )
    .action(async (options: StartOptions) => (await import('./run-start.ts')).start(options))
  addExamples(command, [
    ['sallyport start', 'with sallyport.yaml in this folder'],
    ['sallyport start --config gateway.yaml --watch', 'with another file, reloading whenever it changes'],
  ])
}
