import type { Command } from 'commander'
import { type Change, type Plan, planChanges } from '../config/plan/plan.ts'
import { type Side, sideOf } from '../config/plan/side.ts'
import { unitsOf } from '../config/plan/units.ts'
import { formatPath } from '../config/problems.ts'
import { DEFAULT_FILE } from './command.ts'
import { exitCodes } from './exit-codes.ts'
import { loadChecked } from './load-checked.ts'
import { planText } from './plan-text.ts'

interface Options {
  readonly against: string
  readonly json?: true
}

/** `sallyport plan`: tells what a changed configuration would do. */
export function definePlan(command: Command, finish: (code: number) => void): void {
  command
    .description(
      'Compares two configurations by what they mean, and says what each change does: whether it ends WebSockets and streams,\n' +
        'resets counts or other state, or needs a restart. Ends with 0 where they mean the same, with 2 where they do not,\n' +
        'and with 1 where one of them is refused.',
    )
    .argument('[file]', 'the new configuration', DEFAULT_FILE)
    .requiredOption('--against <file>', 'the configuration that it would replace')
    .option('--json', 'print the plan as JSON')
    .action(async (file: string, { against, json }: Options) => {
      const before = await load(against)
      const after = await load(file)
      const plan = planChanges(before, after)
      for (const { path, message } of plan.warnings) console.error(`warning: ${path}: ${message}`)
      console.log(json === true ? JSON.stringify(planJson(plan), null, 2) : planText(plan, unitsOf(after.chain)))
      finish(plan.changes.length === 0 ? exitCodes.done : exitCodes.different)
    })
}

async function load(file: string): Promise<Side> {
  const { config, chain } = await loadChecked(file)
  return sideOf(file, config, chain)
}

/** The plan in the form that docs/command-line.md promises. */
function planJson({ changes, warnings }: Plan) {
  return { same: changes.length === 0, changes: changes.map(changeJson), warnings }
}

function changeJson({ path, kind, class: cost, before, after, effects, routes }: Change) {
  return {
    kind,
    path: formatPath(path),
    steps: path,
    class: cost,
    ...(kind !== 'added' && { before }),
    ...(kind !== 'removed' && { after }),
    effects,
    ...(routes !== null && { routes }),
  }
}
