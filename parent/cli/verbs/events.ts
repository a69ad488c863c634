import { AFTER_HEADER, ROUTE } from '../../../coordinator/contract/control.ts'
import { Failure } from '../../../coordinator/contract/failure.ts'
import type { CoordinatorEvent } from '../../../coordinator/contract/event.ts'
import { bytesOf } from '../bytes.ts'
import type { Context } from '../context.ts'
import { errorCode } from '../../../coordinator/contract/error-code.ts'
import { examples } from '../help.ts'
import { wholeNumber } from '../option.ts'
import { pause } from '../persist.ts'
import type { Register } from '../program.ts'
import { lines } from '../text/lines.ts'
import { printable } from '../text/printable.ts'
import { write, writeJson } from '../write.ts'

type Options = { follow?: true; tail: number; after?: string; json?: true }

/** Pause before a stream that broke off is asked for again. Milliseconds. */
const BREAK_PAUSE = 200

const AFTER = `
The last 10,000 events are kept. A followed stream goes over a restart of the
coordinator without losing or repeating one; whoever is away for longer goes on
with --after and the last id that was seen.`

export const events: Register = (program, context) => {
  program
    .command('events')
    .description('show what happened: workers queued, ready, ended, …')
    .option('-f, --follow', 'go on until interrupted')
    .option('-n, --tail <events>', 'begin with the last so many', wholeNumber(0, 10_000), 100)
    .option('--after <id>', 'begin after the event of this id, as --json shows it')
    .option('--json', 'print one JSON object a line')
    .addHelpText('after', AFTER)
    .addHelpText('after', examples('coordinator events', 'coordinator events --follow --tail 0 --json'))
    .action(async (options: Options) => {
      await show(context, options)
    })
}

/** A stream that breaks off goes on after the last event that was seen. */
async function show(context: Context, options: Options): Promise<void> {
  let { after } = options
  const see = (event: CoordinatorEvent): Promise<boolean> => {
    after = event.id
    return context.json ? writeJson(context.stdout, event) : write(context.stdout, `${eventText(event)}\n`)
  }
  for (;;) {
    const end = await read(context, options, after, {
      see,
      begin: (id) => (after ??= id),
    })
    if (end === 'reader-gone' || (end === 'end' && !options.follow)) return
    if (!options.follow)
      throw new Failure('not-ready', 'The coordinator went away before all events were told.', {
        hint: './hal9000 status',
      })
    await pause(BREAK_PAUSE, undefined)
  }
}

type Reader = {
  /** Shows an event; false when nobody looks any more. */
  see: (event: CoordinatorEvent) => Promise<boolean>
  /** Hears from where to go on while there was no event. */
  begin: (id: string) => void
}

async function read(
  context: Context,
  options: Options,
  after: string | undefined,
  reader: Reader,
): Promise<'end' | 'broken' | 'reader-gone'> {
  const query = new URLSearchParams({ follow: options.follow ? '1' : '0', tail: String(options.tail) })
  if (after !== undefined) query.set('after', after)
  const response = await context.control.open({ path: `${ROUTE.events}?${query.toString()}` })
  const nothingYet = response.headers[AFTER_HEADER]
  if (typeof nothingYet === 'string') reader.begin(nothingYet)
  try {
    for await (const line of lines(bytesOf(response))) {
      const event: CoordinatorEvent = JSON.parse(line)
      if (!(await reader.see(event))) {
        response.destroy()
        return 'reader-gone'
      }
    }
    return 'end'
  } catch (error) {
    if (errorCode(error) === 'ECONNRESET') return 'broken'
    throw error
  }
}

function eventText(event: CoordinatorEvent): string {
  return [event.at, event.kind, event.worker ?? '-', printable(event.message)].join('  ')
}
