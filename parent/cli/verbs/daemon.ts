import type { Command } from 'commander'
import { FAILURES } from '../../../coordinator/contract/failure.ts'
import { readEnforcement } from '../../../coordinator/instance/enforcement.ts'
import { homeTrouble } from '../../../coordinator/instance/home.ts'
import type { Standing } from '../../../coordinator/instance/standing.ts'
import type { Context } from '../context.ts'
import { lookAtDaemon } from '../daemon/look.ts'
import { restart, start, stop } from '../daemon/up-and-down.ts'
import { waitTurn } from '../daemon/wait-turn.ts'
import { examples, jsonOption } from '../help.ts'
import { wholeNumber } from '../option.ts'
import type { Register } from '../program.ts'
import { daemonView, type DaemonStatus } from '../text/daemon-view.ts'
import { parseSince } from '../text/since.ts'
import { write, writeJson } from '../write.ts'

const STATES = `
absent    nobody is there
starting  somebody will answer soon
healthy   the owner holds the lock and answers
wedged    the owner holds the lock and does not answer
stale     left by an owner that ended, or that lost its lock
foreign   the lock is held by somebody who is not known

Exits with 0 when it is healthy, with 10 when it is wedged or foreign, else with 4.`

/** The coordinator's own process. Workers are not touched by any of this. */
export const daemon: Register = (program, context) => {
  const group = program
    .command('daemon')
    .description('start, stop and look at the coordinator itself; workers go on')
    .addHelpText('after', examples('coordinator daemon status', 'coordinator daemon restart --force'))
  startVerb(group, context)
  statusVerb(group, context)
  stopVerb(group, context)
  restartVerb(group, context)
  logsVerb(group, context)
  group
    .command('wait-turn', { hidden: true })
    .description('for the service: wait until nobody holds the lock')
    .action(() => waitTurn(context))
}

function startVerb(group: Command, context: Context): void {
  group
    .command('start')
    .description('bring the coordinator up, if it is not, and wait for its answer')
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator daemon start'))
    .action(async () => {
      await start(context)
      await show(context)
    })
}

function statusVerb(group: Command, context: Context): void {
  group
    .command('status')
    .description('show who holds this instance, and how it is')
    .addOption(jsonOption())
    .addHelpText('after', STATES)
    .addHelpText('after', examples('coordinator daemon status', 'coordinator daemon status --json'))
    .action(async () => {
      context.exitCode = exitCodeOf(await show(context))
    })
}

function stopVerb(group: Command, context: Context): void {
  group
    .command('stop')
    .description('ask the coordinator to leave, and keep it down until it is started')
    .option('--force', 'end one that does not leave, if it is proven to be the owner')
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator daemon stop', 'coordinator daemon stop --force'))
    .action(async (options: { force?: true }) => {
      if (!(await stop(context, options.force === true))) context.say('The coordinator was not running.')
      await show(context)
    })
}

function restartVerb(group: Command, context: Context): void {
  group
    .command('restart')
    .description('have the coordinator leave, and wait for the answer of the next one')
    .option('--force', 'end one that does not leave, if it is proven to be the owner')
    .addOption(jsonOption())
    .addHelpText('after', examples('coordinator daemon restart', 'coordinator daemon restart --force'))
    .action(async (options: { force?: true }) => {
      await restart(context, options.force === true)
      await show(context)
    })
}

function logsVerb(group: Command, context: Context): void {
  group
    .command('logs')
    .description("print the parent's log, also while the coordinator is down")
    .option('-f, --follow', 'go on')
    .option('-n, --tail <lines>', 'only the last lines', wholeNumber(0, 1_000_000))
    .option('--since <time>', 'only what came after a time: 10m (ago) or 2030-01-31T12:00:00Z')
    .option('--json', 'print failures as one JSON object on stdout; the log itself stays as it is')
    .addHelpText('after', examples('coordinator daemon logs --tail 50', 'coordinator daemon logs --follow'))
    .action(async (options: { follow?: true; tail?: number; since?: string; json?: true }) => {
      context.exitCode = await context.passThrough('/usr/lib/hal9000/parent-log.cjs', [
        ...(options.follow ? ['--follow'] : []),
        ...(options.tail === undefined ? [] : ['--tail', String(options.tail)]),
        ...(options.since === undefined ? [] : ['--since', String(parseSince(options.since, context.now()))]),
        ...(options.json ? ['--json'] : []),
      ])
    })
}

async function show(context: Context): Promise<Standing> {
  const { home, facts, standing } = await lookAtDaemon(context)
  const trouble = await homeTrouble(home)
  const damage = facts.record.found === 'damage' ? `The owner record ${facts.record.because}.` : undefined
  const status: DaemonStatus = {
    instance: facts.instance,
    ...standing,
    // What cannot be read in a directory that takes nothing is no trouble of its own.
    problems: [trouble ?? damage].filter((problem) => problem !== undefined),
    lock: facts.lock,
    supervisor: facts.service,
    enforceSingleDaemonProcess: await readEnforcement(home, context.env),
  }
  await (context.json ? writeJson(context.stdout, status) : write(context.stdout, daemonView(status)))
  return standing
}

function exitCodeOf({ state }: Standing): number {
  switch (state) {
    case 'healthy':
      return 0
    case 'absent':
    case 'starting':
    case 'stale':
      return FAILURES['not-ready'].exitCode
    case 'wedged':
    case 'foreign':
      return FAILURES['instance-locked'].exitCode
  }
  return state satisfies never
}
