import type { Command } from 'commander'
import { addExamples } from './command.ts'
import { addImportOptions, finishImport, type ImportOptions, readForImport } from './import-files.ts'

/** `sallyport import kong`: makes a configuration of a declarative file of Kong. */
export function defineImportKong(command: Command, finish: (code: number) => void): void {
  command
    .summary('make a configuration of a declarative file of Kong')
    .description(
      'Makes a configuration of a declarative file of Kong or decK, in YAML or JSON, of format 1.1, 2.1 or 3.0. Says of every entity whether it ' +
        'is exact, narrower, different or left out, with its place in the file and what to do. No secret is written: what has to be one is a ' +
        'variable, and API keys and passwords are digests.',
    )
    .argument('<file>', 'the file of Kong, as deck gateway dump or kong config db_export write it')
  addImportOptions(command).action(async (file: string, options: ImportOptions) => {
    const text = await readForImport(file)
    const { importKong } = await import('../import/kong/index.ts')
    const { digestOf } = await import('../policies/auth/password-digest.ts')
    await finishImport(() => importKong(text, file, digestOf), options, finish)
  })
  addExamples(command, [
    [
      'sallyport import kong kong.yml --out sallyport.yaml',
      'the configuration into a file, the report on the terminal',
    ],
    [
      'sallyport import kong kong.yml --report json --strict > sallyport.yaml',
      'in a pipeline: 3 where something is left out',
    ],
  ])
}
