import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { WorkerDetail } from '../../../coordinator/contract/worker.ts'
import type { Context } from '../context.ts'
import { stayWith } from '../foreground.ts'
import { examples, jsonOption } from '../help.ts'
import type { Register } from '../program.ts'
import { attachTo } from '../terminal/attach.ts'
import { held, type HeldOptions, withTerminal } from '../terminal/held.ts'

const AFTER = `
Rejoins what runs in the worker: several people may, and each sees the same.
For a shell of your own beside it: coordinator shell NAME.
Where the coordinator is restarted or dies, the next one is attached to.
Exits with 0 when you detach, with the command's own code when the command ends.`

export const attach: Register = (program, context) => {
  const command = program
    .command('attach')
    .argument('<name>', 'running worker')
    .description("join a worker's session; detach with Ctrl-b d, and the worker goes on")
    .addOption(jsonOption())
  withTerminal(command)
    .addHelpText('after', AFTER)
    .addHelpText('after', examples('coordinator attach w1', 'coordinator attach --detach-keys ctrl-] w1'))
    .action(async (name: string, options: HeldOptions) => {
      const terminal = held(context, options, 'attach', `coordinator logs -f ${name}`)
      const attached = attachTo(context, name, terminal)
      context.exitCode = await (terminal.relay ? attached.catch(endedBefore(context, name)) : attached)
    })
}

/** Only a foreground spawn hands a request over: its command may have ended before the launcher could attach. */
function endedBefore(context: Context, ref: string): (error: unknown) => Promise<number> {
  return async (error) => {
    if (!(error instanceof Failure) || error.code !== 'wrong-state') throw error
    const { worker } = await context.control.call<WorkerDetail>({ path: routeFor(ROUTE.worker, ref) })
    if (worker.state !== 'ended' || worker.request !== ref) throw error
    return stayWith(context, worker, true)
  }
}
