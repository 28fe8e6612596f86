import { readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { type Command, Option } from 'commander'
import { fileErrorOf } from '../core/read-text.ts'
import type { Imported } from '../import/imported.ts'
import { ImportError } from '../import/import-error.ts'
import { leavesOut, reportDocument, reportText } from '../import/report.ts'
import { CommandError } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { writeNew } from './write-new.ts'

/** Options of every import. */
export interface ImportOptions {
  readonly out?: string
  readonly report: 'text' | 'json'
  readonly strict?: true
}

/** Adds the options of every import. */
export function addImportOptions(command: Command): Command {
  return command
    .option(
      '-o, --out <file>',
      'file for the configuration; an existing file is not overwritten (default: standard output)',
    )
    .addOption(
      new Option(
        '--report <format>',
        'format of the report, which goes to standard output with --out, otherwise to standard error',
      )
        .choices(['text', 'json'])
        .default('text'),
    )
    .option('--strict', `exit with ${exitCodes.incomplete} if something was left out`)
}

/** The contents of a file. Throws CommandError if it cannot be read. */
export async function readForImport(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    throw new CommandError(`${file}: ${fileErrorOf(error).message}.`, { cause: error })
  }
}

/** Imports, writes the result and reports the outcome. Throws CommandError. */
export async function finishImport(
  make: () => Promise<Imported>,
  { out, report: format, strict }: ImportOptions,
  finish: (code: number) => void,
): Promise<void> {
  const { yaml, report } = await make().catch((error: unknown) => {
    throw error instanceof ImportError ? new CommandError(error.message, { cause: error }) : error
  })
  const reportOutput = format === 'json' ? JSON.stringify(reportDocument(report), null, 2) : reportText(report)
  if (out === undefined) {
    process.stdout.write(yaml)
    console.error(reportOutput)
  } else {
    const file = { path: basename(out), text: yaml, what: 'the configuration' }
    writeNew(dirname(out), [file], 'name another file with --out')
    console.log(format === 'json' ? reportOutput : `${reportOutput}\n\nWritten: ${out}. Next: sallyport check ${out}`)
  }
  finish(strict === true && leavesOut(report) ? exitCodes.incomplete : exitCodes.done)
}
