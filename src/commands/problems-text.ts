import { z } from 'zod'
import { formatProblem, type Problem } from '../config/problems.ts'

const problemMember = z.object({
  file: z.string().nullable(),
  line: z.number().nullable(),
  column: z.number().nullable(),
  path: z.string(),
  message: z.string(),
})

/** Problems and warnings of a configuration, as in the admin API. */
export const problemMembers = problemMember.array()

const problemsSchema = z.object({ problems: problemMembers.min(1) })

/**
 * Every problem of a configuration that a gateway has refused, in the format of `sallyport check`; `named` is the name of the file if it is
 * not the gateway's own. Null if there are no problems in the document.
 */
export function problemsText(document: unknown, named?: string): string | null {
  const { data } = problemsSchema.safeParse(document)
  if (data === undefined) return null
  return data.problems.map((member) => formatProblem(problemOf(member, named))).join('\n')
}

/** The problem that a gateway reported. */
export function problemOf(
  { file, line, column, path, message }: z.output<typeof problemMember>,
  named?: string,
): Problem {
  const position = line === null || column === null ? undefined : { line, column }
  return { file: (position && named) ?? file ?? undefined, position, path, message }
}
