import { z } from 'zod'
import { messageOf } from '../../../core/error-facts.ts'
import { compileRule } from './rule.ts'
import { RuleProblem } from './rule-problem.ts'

/** Schema of a rule as it is written in the configuration; `compileRule` then succeeds. */
export const ruleText = z.string().superRefine((text, context) => {
  try {
    compileRule(text)
  } catch (error) {
    const { name, known } = (error instanceof RuleProblem ? error.unknown : null) ?? {}
    context.addIssue({ code: 'custom', message: messageOf(error), params: { unknown: name, known } })
  }
})
