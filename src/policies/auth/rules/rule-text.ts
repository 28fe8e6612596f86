import { z } from 'zod'
import { messageOf } from '../../../core/error-facts.ts'
import { compileRule } from './rule.ts'
import { RuleProblem } from './rule-problem.ts'

/** Schema of a rule as written in the configuration; `compileRule` succeeds for every text that it accepts. */
export const ruleText = z.string().superRefine((text, context) => {
  try {
    compileRule(text)
  } catch (error) {
    const { name, known } = (error instanceof RuleProblem ? error.unknown : null) ?? {}
    context.addIssue({ code: 'custom', message: messageOf(error), params: { unknown: name, known } })
  }
})
