import { createInterface } from 'node:readline/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Failure } from '../contract/failure.ts'
import { InstanceName } from '../contract/names.ts'
import { printable } from '../contract/printable.ts'
import { connect } from '../docker/connection.ts'
import { dockerDeployment } from '../docker/dockerode-deployment.ts'
import type { Deployment } from '../docker/deployment.ts'
import { planDown, planUp, type DownOptions } from '../domain/deployment/plan.ts'
import { readRoots, writeRoots } from './remembered-roots.ts'
import { chooseRoots } from '../domain/deployment/roots.ts'
import { parentSettings, publishedPorts } from '../domain/deployment/settings.ts'
import { STATE_DIRECTORY, type Wanted } from '../domain/deployment/specs.ts'
import { performAloud, up, type World } from './up.ts'

/**
 * What `./hal9000 up`, `down` and `restart` run in a short-lived container of the parent's image:
 *   deploy up|check|down OPTIONS       (check: exit 0 when `up` would find nothing to do)
 */
async function main(argv: string[], environment: Record<string, string | undefined>): Promise<number> {
  const { values, positionals } = parse(argv)
  const instance = InstanceName.safeParse(values.name)
  if (!instance.success)
    throw new Failure('invalid-value', instance.error.issues[0]?.message ?? 'HAL9000_NAME is not valid.')
  const deployment = dockerDeployment(await connect('/var/run/docker.sock'), instance.data, Date.now)
  const options = { restart: values.restart, cutWorkers: values['cut-workers'] }
  const verb = positionals[0] ?? ''
  switch (verb) {
    case 'check': {
      const { wanted, known } = await wantedBy(values, environment, deployment)
      return known && planUp(wanted, await deployment.see(), options).length === 0 ? 0 : 1
    }
    case 'up': {
      const { wanted } = await wantedBy(values, environment, deployment)
      await writeRoots(STATE_DIRECTORY, await up(wanted, options, deployment, world))
      return 0
    }
    case 'down':
      await down(values, deployment)
      return 0
    default:
      throw new Failure('usage', `deploy: "${verb}" is none of up, check, down.`)
  }
}

const OPTIONS = {
  name: { type: 'string', default: 'hal9000' },
  image: { type: 'string', default: '' },
  socket: { type: 'string', default: '/var/run/docker.sock' },
  home: { type: 'string', default: '/' },
  /** Where the person is: the top of the git clone, or the directory. */
  project: { type: 'string', default: '/' },
  projects: { type: 'string', multiple: true, default: [] as string[] },
  /** Names of environment variables that are settings of the parent. */
  setting: { type: 'string', multiple: true, default: [] as string[] },
  publish: { type: 'string' },
  restart: { type: 'boolean', default: false },
  'cut-workers': { type: 'boolean', default: false },
  keep: { type: 'boolean', default: false },
  'stop-workers': { type: 'boolean', default: false },
  volumes: { type: 'boolean', default: false },
} as const

function parse(args: string[]) {
  try {
    return parseArgs({ args, allowPositionals: true, options: OPTIONS })
  } catch (cause) {
    // What follows is advice on how to write such a word for another purpose.
    const [fact = ''] = (cause instanceof Error ? cause.message : String(cause)).split('. ')
    throw new Failure('usage', `${fact}.`, { hint: './hal9000 --help', cause })
  }
}

type Values = ReturnType<typeof parse>['values']

const world: World = {
  // The end of a log has several lines, and whatever was written there.
  say: (text) => void process.stderr.write(`${text.split('\n').map(printable).join('\n')}\n`),
  now: Date.now,
  sleep: (duration) => sleep(duration),
}

/** What the command line, the environment and the state volume ask for; `known` when roots are remembered already. */
async function wantedBy(
  values: Values,
  environment: Record<string, string | undefined>,
  deployment: Deployment,
): Promise<{ wanted: Wanted; known: boolean }> {
  const [remembered, imageId, engineDirectory] = await Promise.all([
    readRoots(STATE_DIRECTORY),
    deployment.imageId(values.image),
    deployment.engineDirectory(),
  ])
  if (imageId === undefined)
    throw new Failure('image-missing', `Image "${values.image}" is not on this host.`, { hint: './hal9000 build' })
  const { home, project, projects: added } = values
  const wanted = {
    instance: values.name,
    image: values.image,
    imageId,
    socket: values.socket,
    roots: chooseRoots({ remembered, added, project, home, engineDirectory }),
    home,
    settings: parentSettings(values.setting, environment),
    publish: publishedPorts(values.publish),
  }
  return { wanted, known: remembered !== undefined }
}

async function down(values: Values, deployment: Deployment): Promise<void> {
  if (values.keep && (values.volumes || values['stop-workers'])) {
    throw new Failure(
      'usage',
      `--keep leaves the workers running; it does not go with ${values.volumes ? '--volumes' : '--stop-workers'}.`,
      { hint: './hal9000 down --keep, or ./hal9000 down --stop-workers' },
    )
  }
  const seen = await deployment.see()
  let workers: DownOptions['workers'] = 'ask'
  if (values.keep) workers = 'keep'
  else if (values['stop-workers']) workers = 'stop'
  else if (seen.workers > 0 && process.stdin.isTTY) workers = await ask(seen.workers)
  for (const op of planDown(seen, { workers, volumes: values.volumes })) await performAloud(op, deployment, world)
}

async function ask(workers: number): Promise<DownOptions['workers']> {
  const readline = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await readline.question(
      `${workers === 1 ? 'A worker is' : `${workers} workers are`} running. [s]top, [k]eep running, or [c]ancel? `,
    )
    const choice = answer.trim().toLowerCase()
    if (choice.startsWith('s')) return 'stop'
    return choice.startsWith('k') ? 'keep' : 'ask'
  } finally {
    readline.close()
  }
}

async function run(): Promise<void> {
  try {
    process.exitCode = await main(process.argv.slice(2), process.env)
  } catch (error) {
    const failure = Failure.from(error)
    world.say(failure.message)
    if (failure.hint !== undefined) world.say(`Next: ${failure.hint}`)
    process.exitCode = failure.exitCode
  }
}

void run()
