import { Option } from 'commander'
import { Failure } from '../../../coordinator/contract/failure.ts'
import { PULL_POLICIES } from '../../../coordinator/contract/pull.ts'
import { examples, jsonOption } from '../help.ts'
import { collect } from '../option.ts'
import type { Register } from '../program.ts'
import { sendInput } from '../request/input.ts'
import { send } from '../request/send.ts'
import { spawnRequest, type SpawnOptions } from '../request/spawn-request.ts'
import { deliver } from '../spawned.ts'
import { detachKeysOption } from '../terminal/held.ts'
import { commandText } from '../text/printable.ts'

const AFTER = `
PROJECT is a directory of the host; without it the one you are in. Without
COMMAND the image's agent runs, or a shell. In the foreground a terminal is
attached to the worker's session; without a terminal, and with --stdin, the
output is copied.
Either way the exit code is the command's. With --json in the foreground the
output is not copied (read it with "coordinator logs"), and the object is
printed when the command has ended.`

export const spawn: Register = (program, context) => {
  program
    .usage('[options] [PROJECT] [-- COMMAND ARG...]')
    .description('Start a worker: a command in a container of its own on a project directory.')
    .argument('[project]')
    .argument('[excess...]')
    .option('-n, --name <name>', "the worker's name (default: the command and 4 hexadecimal digits)")
    .option('-d, --detach', 'return when the worker is ready; prints its name')
    .option('--foreground', 'stay until the command ends')
    .option('-i, --image <image>', 'image of the worker (default: $WORKER_IMAGE)')
    .addOption(
      new Option('--pull <when>', 'whether the image is fetched from its registry (default: never)').choices(
        PULL_POLICIES,
      ),
    )
    .option('--rm', 'remove the container when it ends (default)')
    .option('--no-rm', 'keep the container, stopped, when it ends')
    .option('--memory <size>', 'limit of memory, such as 512m or 4g')
    .option('--cpus <n>', 'limit of cores, such as 2 or 0.5')
    .option('--pids-limit <n>', 'limit of processes')
    .option('--no-limits', 'no limits of memory, cores and processes')
    .option('-e, --env <key=value>', 'environment of the command; KEY alone takes the value from here', collect)
    .option('--env-file <file>', 'environment from a file of KEY=VALUE lines', collect)
    .option('--secret <name=file>', "a file's content, handed to the worker under a name", collect)
    .option('--replace', 'stop a running worker of that name first')
    .option('--no-tty', 'plain pipes instead of a session: stdout and stderr kept apart')
    .option('--stdin', 'hand our stdin, to its end, to the command as its own; at most 8 MiB')
    .option('--timeout <duration>', 'end the command after so long, such as 10m')
    .addOption(
      new Option(
        '--on-network-loss <policy>',
        'when the network is lost: keep it running (default), or stop it',
      ).choices(['keep', 'stop']),
    )
    .option('--wait <duration>', 'how long to wait for room (default: 60s)')
    .addOption(noWait())
    .addOption(detachKeysOption())
    .addOption(jsonOption())
    .addHelpText('after', AFTER)
    .addHelpText(
      'after',
      examples(
        'spawn --detach --name w1 -- sleep 600',
        'spawn --no-tty -- sh -c "id; pwd"',
        'spawn --stdin -- sha256sum <notes.txt',
        'spawn --memory 1g --cpus 1 --timeout 10m --env CI=1 -- git fsck',
      ),
    )
    .action(async (project: string | undefined, excess: string[], options: SpawnOptions) => {
      const words = context.rest ?? []
      // Commander has put the words after "--" behind ours.
      if (excess.length > 0) throw commandBeforeDashes(project, [...excess, ...words])
      const request = spawnRequest(project, options, context)
      if (options.stdin) request.input = await sendInput(context, request.id)
      context.exitCode = await deliver(context, await send(context, request), options)
    })
}

/** A flag of its own, not the opposite of --wait: for how long a request may wait is one thing, who waits for it another. */
function noWait(): Option {
  return Object.assign(new Option('--no-wait', 'return when the request is queued; prints its id'), { negate: false })
}

function commandBeforeDashes(project: string | undefined, words: string[]): Failure {
  return new Failure('usage', `The command goes after "--", and ${commandText(words.slice(0, 1))} stands before it.`, {
    hint: `spawn ${commandText([project ?? '.'])} -- ${commandText(words)}`,
  })
}
