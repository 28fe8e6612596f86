import { dirname, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { parseInstanceUrl } from '../config/addresses.ts'
import { addExamples, UsageError } from './command.ts'
import { addImportOptions, finishImport, type ImportOptions, readForImport } from './import-files.ts'

interface Options extends ImportOptions {
  readonly service?: string
}

const expected = '--service: expected a name and a URL without a path, such as orders=http://orders:8080'

/** `sallyport import openapi`: makes a configuration from an OpenAPI document. */
export function defineImportOpenApi(command: Command, finish: (code: number) => void): void {
  command
    .summary('convert an OpenAPI document')
    .description(
      'Converts an OpenAPI 3 document, in YAML or JSON, to a configuration: a route for each path, authentication, and validation of requests ' +
        'against the document, which the configuration refers to. Reports for every operation whether it is exact, narrower, different or left out.',
    )
    .argument('<file>', 'the document')
    .option('--service <name=url>', 'name and URL of the service (default: api, at the first server of the document)')
  addImportOptions(command).action(async (file: string, options: Options) => {
    const service = options.service === undefined ? null : serviceOf(options.service)
    const text = await readForImport(file)
    const document = documentPath(file, options.out)
    const { importOpenApi } = await import('../import/openapi/index.ts')
    await finishImport(async () => importOpenApi(text, file, { document, service }), options, finish)
  })
  addExamples(command, [
    [
      'sallyport import openapi openapi.yaml --service orders=http://orders:8080 --out sallyport.yaml',
      'with the service',
    ],
  ])
}

function serviceOf(text: string): { readonly name: string; readonly url: string } {
  const [, name = '', url = ''] = /^([A-Za-z0-9][A-Za-z0-9._-]*)=(.+)$/.exec(text) ?? []
  if (parseInstanceUrl(url) === undefined) throw new UsageError(expected)
  return { name, url }
}

/** The path as written in the configuration: relative to its folder. */
function documentPath(file: string, out: string | undefined): string {
  const path = relative(dirname(resolve(out ?? 'sallyport.yaml')), resolve(file)).replaceAll('\\', '/')
  return path.startsWith('.') || path.startsWith('/') ? path : `./${path}`
}
