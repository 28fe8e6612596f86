import { z } from 'zod'
import { formatProblem } from '../config/problems.ts'

const problemsSchema = z.object({
  problems: z
    .object({
      file: z.string().nullable(),
      line: z.number().nullable(),
      column: z.number().nullable(),
      path: z.string(),
      message: z.string(),
    })
    .array()
    .min(1),
})

/**
 * Every problem of a configuration that a gateway has refused, as `sallyport check` prints them, with that name of the file where it
 * is not the gateway's; null where none is named.
 */
export function problemsText(document: unknown, named?: string): string | null {
  const { data } = problemsSchema.safeParse(document)
  if (data === undefined) return null
  return data.problems
    .map(({ file, line, column, path, message }) => {
      const position = line === null || column === null ? undefined : { line, column }
      return formatProblem({ file: (position && named) ?? file ?? undefined, position, path, message })
    })
    .join('\n')
}
