import type { Command } from 'commander'
import { addExamples } from './command.ts'
import { addImportOptions, finishImport, type ImportOptions, readForImport } from './import-files.ts'

/** `sallyport import kong`: converts a declarative Kong file to a configuration. */
export function defineImportKong(command: Command, finish: (code: number) => void): void {
  command
    .summary('convert a declarative configuration of Kong')
    .description(
      'Converts a declarative configuration of Kong or decK (format 1.1, 2.1 or 3.0, YAML or JSON) to a configuration. Reports for every entity whether ' +
        'it is exact, narrower, different or left out, with its line and column and what to do. Secrets are never written: API keys and passwords ' +
        'are hashed, and other secrets become environment variables.',
    )
    .argument('<file>', 'the configuration of Kong, from deck gateway dump or kong config db_export')
  addImportOptions(command).action(async (file: string, options: ImportOptions) => {
    const text = await readForImport(file)
    const { importKong } = await import('../import/kong/index.ts')
    const { digestOf } = await import('../core/password-digest.ts')
    await finishImport(() => importKong(text, file, digestOf), options, finish)
  })
  addExamples(command, [
    ['sallyport import kong kong.yml --out sallyport.yaml', 'write the configuration to a file, and print the report'],
    [
      'sallyport import kong kong.yml --report json --strict > sallyport.yaml',
      'in a pipeline: exits with 3 if something is left out',
    ],
  ])
}
