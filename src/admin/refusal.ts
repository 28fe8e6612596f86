import { z } from 'zod'
import { type Problem, problemMember } from '../config/problems.ts'
import { GatewayError } from '../core/errors.ts'

/** One problem of a configuration. */
export const problemSchema = z.object({
  file: z.string().nullable(),
  line: z.int().nullable(),
  column: z.int().nullable(),
  path: z.string().describe('Place in the configuration, such as routes[0].match.path; "" for the whole.'),
  message: z.string(),
})

/** The GatewayError 'unprocessable-content' that lists every problem of a configuration. */
export function refusal(problems: readonly Problem[]): GatewayError {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  const detail = `The configuration was refused because of ${count}; nothing has changed.`
  return new GatewayError('unprocessable-content', detail, { members: { problems: problems.map(problemMember) } })
}
