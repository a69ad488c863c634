import { ROUTE } from '../../../coordinator/contract/control.ts'
import { Failure, isFailureCode } from '../../../coordinator/contract/failure.ts'
import type { StopAllResult } from '../../../coordinator/contract/worker.ts'
import type { Context } from '../context.ts'
import { examples, jsonOption } from '../help.ts'
import { wholeNumber } from '../option.ts'
import type { Register } from '../program.ts'
import { confirm } from '../terminal/confirm.ts'
import { printable } from '../text/printable.ts'
import { write, writeJson } from '../write.ts'
import { workersOf } from './list.ts'
import { STOP_MARGIN } from './stop.ts'

type Options = { yes?: true; time: number }

export const stopAll: Register = (program, context) => {
  program
    .command('stop-all')
    .description('stop every worker; asks first on a terminal')
    .option('-y, --yes', 'do not ask')
    .option('-t, --time <seconds>', 'time between TERM and KILL', wholeNumber(0, 3600), 10)
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator stop-all', 'coordinator stop-all --yes --time 30'))
    .action(async (options: Options) => {
      if (!options.yes && !(await agreed(context))) {
        throw new Failure('interrupted', 'Nothing was stopped.', { hint: 'coordinator stop-all --yes' })
      }
      const result = await context.control.call<StopAllResult>({
        method: 'POST',
        path: ROUTE.stopAll,
        body: { grace: options.time },
        answerWithin: options.time * 1000 + STOP_MARGIN,
      })
      context.exitCode = await report(context, result)
    })
}

/** Off a terminal nobody can be asked, and the word is taken as it stands. */
async function agreed(context: Context): Promise<boolean> {
  if (context.json || context.stdin.isTTY !== true || context.stderr.isTTY !== true) return true
  const workers = await workersOf(context, false)
  if (workers.length === 0) return true
  for (const { name, project } of workers) context.say(`${printable(name)}  ${printable(project)}`)
  return confirm(context, `Stop ${workers.length === 1 ? 'this worker' : `these ${workers.length} workers`}?`)
}

async function report(context: Context, { stopped, failed }: StopAllResult): Promise<number> {
  const first = failed[0]?.error
  if (context.json) {
    await writeJson(context.stdout, { stopped, failed, ...(first && { error: first }) })
  } else {
    await write(context.stdout, stopped.map(({ worker }) => `${worker.name}\n`).join(''))
    for (const { name, error } of failed) {
      context.say(`Worker "${name}" was not stopped: ${error.message}`)
      if (error.hint !== undefined) context.say(`Next: ${error.hint}`)
    }
    if (stopped.length === 0 && failed.length === 0) context.say('There was no worker to stop.')
  }
  if (!first) return 0
  return isFailureCode(first.code) ? Failure.fromShape(first).exitCode : 1
}
