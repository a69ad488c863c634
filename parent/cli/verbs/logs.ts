import { ROUTE, routeFor } from '../../../coordinator/contract/control.ts'
import type { WorkerDetail } from '../../../coordinator/contract/worker.ts'
import type { Context } from '../context.ts'
import { examples } from '../help.ts'
import { logStream } from '../logs/log-stream.ts'
import { logWriter } from '../logs/log-writer.ts'
import { wholeNumber } from '../option.ts'
import type { Register } from '../program.ts'
import { parseSince } from '../text/since.ts'

type Options = { follow?: true; tail?: number; since?: string; timestamps?: true; raw?: true; json?: true }

const AFTER = `
On a terminal everything but text and colours is taken out of what the worker
printed. Elsewhere the text is as the worker wrote it, but that a session's CR LF
becomes LF. --raw turns both off. The engine's log holds text: bytes that are not
UTF-8 are replaced in it.`

export const logs: Register = (program, context) => {
  program
    .command('logs')
    .argument('<name>', 'worker, running or ended')
    .description("print a worker's output, stdout and stderr kept apart")
    .option('-f, --follow', 'go on until the worker ends')
    .option('-n, --tail <lines>', 'only the last lines', wholeNumber(0, 1_000_000))
    .option('--since <time>', 'only what came after a time: 10m (ago) or 2030-01-31T12:00:00Z')
    .option('-t, --timestamps', 'put the time before every line')
    .option('--raw', 'print the bytes as they are, control sequences too')
    .option('--json', 'print failures as one JSON object on stdout; the output itself stays as it is')
    .addHelpText('after', AFTER)
    .addHelpText(
      'after',
      examples(
        'coordinator logs w1',
        'coordinator logs w1 --follow --tail 20',
        'coordinator logs w1 --since 10m | grep error',
      ),
    )
    .action(async (name: string, options: Options) => {
      await show(context, name, options)
    })
}

async function show(context: Context, name: string, options: Options): Promise<void> {
  const { worker } = await context.control.call<WorkerDetail>({ path: routeFor(ROUTE.worker, name) })
  const since = options.since === undefined ? undefined : parseSince(options.since, context.now())
  const writer = logWriter(context, { io: worker.io, raw: options.raw === true })
  const query = {
    follow: options.follow === true,
    timestamps: options.timestamps === true,
    ...(options.tail !== undefined && { tail: options.tail }),
    ...(since !== undefined && { since }),
  }
  // From here on the worker is meant that was found, also if another one takes its name.
  const stillRead = await logStream(context, worker.request, query, writer).copy()
  if (stillRead) await writer.end()
}
