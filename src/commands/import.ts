import type { Command } from 'commander'
import { defineImportKong } from './import-kong.ts'
import { defineImportOpenApi } from './import-openapi.ts'

/** `sallyport import`: makes a configuration from that of another gateway, or from a document. */
export function defineImport(command: Command, finish: (code: number) => void): void {
  command.description('Converts a Kong configuration or an OpenAPI document to a Sallyport configuration.')
  defineImportKong(command.command('kong'), finish)
  defineImportOpenApi(command.command('openapi'), finish)
}
