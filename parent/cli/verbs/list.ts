import { ROUTE } from '../../../coordinator/contract/control.ts'
import type { Worker } from '../../../coordinator/contract/worker.ts'
import { isTerminal, terminalWidth, type Context } from '../context.ts'
import { examples, jsonOption } from '../help.ts'
import { collect } from '../option.ts'
import type { Register } from '../program.ts'
import { parseFilter } from '../text/filter.ts'
import { printable } from '../text/printable.ts'
import { workerTable } from '../text/worker-view.ts'
import { write, writeJson } from '../write.ts'

type Options = { all?: true; quiet?: true; filter?: string[] }

export const list: Register = (program, context) => {
  program
    .command('list')
    .aliases(['ls', 'ps'])
    .description('list workers; those that have ended too with --all')
    .option('-a, --all', 'also workers that have ended')
    .option('-q, --quiet', 'print only names, or ids where a name is not unique')
    .option(
      '--filter <key=value>',
      'only workers that fit; may be repeated (name, project, state, reason, condition, image, io, id, request)',
      collect,
    )
    .addOption(jsonOption())
    .addHelpText(
      'after',
      examples(
        'coordinator list',
        'coordinator list --all --filter reason=oom',
        'coordinator list --filter state=running --json',
      ),
    )
    .action(async (options: Options) => {
      await show(context, options)
    })
}

async function show(context: Context, options: Options): Promise<void> {
  const filter = parseFilter(options.filter ?? [])
  const workers = (await workersOf(context, options.all === true || filter.wantsEnded)).filter(filter.matches)
  if (context.json) await writeJson(context.stdout, { workers })
  else if (options.quiet)
    await write(
      context.stdout,
      references(workers)
        .map((name) => `${name}\n`)
        .join(''),
    )
  else {
    const limit = isTerminal(context, context.stdout) ? terminalWidth(context) : undefined
    await write(context.stdout, workerTable(workers, context.now(), limit))
  }
}

/** Workers as the coordinator knows them now. */
export async function workersOf(context: Context, all: boolean): Promise<Worker[]> {
  const { workers } = await context.control.call<{ workers: Worker[] }>({
    path: `${ROUTE.workers}?all=${all ? '1' : '0'}`,
  })
  return workers
}

/** A word for each worker that the other verbs understand: its name, or its id where two have the same name. */
function references(workers: readonly Worker[]): string[] {
  const count = new Map<string, number>()
  for (const { name } of workers) count.set(name, (count.get(name) ?? 0) + 1)
  return workers.map(({ name, id, request }) => printable(count.get(name) === 1 ? name : id.slice(0, 12) || request))
}
