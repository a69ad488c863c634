import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import { Failure } from '../contract/failure.ts'
import { IMAGE_LABEL } from '../contract/labels.ts'
import { WorkerName } from '../contract/names.ts'
import type { Settings, SpawnRequest } from '../contract/request.ts'
import { agentOf } from '../domain/agent.ts'
import { imageMissing } from '../domain/image-reference.ts'
import {
  type Host,
  type Resolved,
  resolveSettings,
  settingsFromEnvironment,
  settingsFromFile,
  settingsFromProjectFile,
} from '../domain/settings.ts'
import type { SpawnOrder } from '../domain/spawn-order.ts'
import { ENFORCEMENT_KEY } from '../instance/enforcement.ts'
import type { Image } from '../docker/engine.ts'
import { PROJECT_FILE } from '../project/project-file.ts'
import { type ProjectContext, resolveProject } from '../project/resolve.ts'
import { USER_FILE } from '../state/user-file.ts'

export type IntakeContext = {
  project: () => Promise<ProjectContext>
  host: () => Promise<Host>
  image: (reference: string) => Promise<Image | undefined>
  /** Text of the user's file in the state directory; null when there is none. */
  userFile: () => Promise<string | null>
  /** The parent's own environment. */
  environment: Record<string, string | undefined>
  defaultImage: string
  now: () => number
}

/** What an image without an agent runs: a login shell. */
const LOGIN_SHELL = ['/bin/bash', '-l']

/** Pulls the image of an order that is not complete yet: the image may have to say what its command is. */
export type PullFor = (draft: SpawnOrder) => Promise<void>

/**
 * Makes an order out of a request: everything that can be decided, and everything that can be refused, before it waits in
 * the queue. That takes the image, so a pull comes first: it holds no name, and no place in the queue or among the workers.
 * Fails with what the person got wrong: `invalid-value`, `project-missing`, `refused-by-policy`, `image-missing`,
 * `pull-failed`.
 */
export async function takeIn(request: SpawnRequest, context: IntakeContext, pull: PullFor): Promise<SpawnOrder> {
  const receivedAt = context.now()
  const [{ project, projectFile }, host, userFile] = await Promise.all([
    resolveProject(request.project, await context.project()),
    context.host(),
    readUserFile(context),
  ])
  const layers = {
    flags: withCommand(request),
    clientEnv: settingsFromEnvironment(callersOwn(request.clientEnv, context.environment), "caller's"),
    projectFile:
      projectFile === null ? {} : settingsFromProjectFile(projectFile, posix.join(project.path, PROJECT_FILE)),
    userFile,
    parentEnv: settingsFromEnvironment(context.environment, "parent's"),
  }
  const settings = resolveSettings(layers, { image: context.defaultImage }, host)
  const suffix = randomBytes(2).toString('hex')
  const order = (command: string[]): SpawnOrder => ({
    request: request.id,
    name: request.name ?? defaultName(command, suffix),
    project,
    image: settings.image,
    command,
    io: request.io,
    remove: request.remove,
    replace: request.replace,
    limits: settings.limits,
    env: settings.env,
    secrets: request.secrets,
    input: request.input,
    timeout: settings.timeout ?? null,
    onNetworkLoss: settings.onNetworkLoss,
    size: request.size,
    term: request.term,
    receivedAt,
    // From now on: what it took to get here was no waiting for room.
    waitUntil: context.now() + request.wait,
    notices: settings.notices,
  })
  const image = await workerImage(settings, context, () => pull(order(settings.command ?? [])))
  return order(settings.command ?? agentOf(image.labels, settings.image) ?? LOGIN_SHELL)
}

function withCommand(request: SpawnRequest): Settings {
  return request.command === undefined ? request.settings : { ...request.settings, command: request.command }
}

/** `docker exec` gives a command the parent's environment: what is the same there is not the caller's wish. */
function callersOwn(
  environment: Record<string, string>,
  parents: Record<string, string | undefined>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([name, value]) => parents[name] !== value))
}

async function readUserFile(context: IntakeContext): Promise<Settings> {
  const text = await context.userFile()
  return text === null ? {} : settingsFromFile(text, USER_FILE, [ENFORCEMENT_KEY])
}

/** The image's facts, pulled where that is wanted; refuses one that does not speak the worker's protocol. */
async function workerImage(
  { image: reference, pull: policy }: Resolved,
  context: IntakeContext,
  pull: () => Promise<void>,
): Promise<Image> {
  const here = policy === 'always' ? undefined : await context.image(reference)
  if (here === undefined && policy === 'never') throw imageMissing(reference)
  if (here === undefined) await pull()
  const image = here ?? (await context.image(reference))
  if (image === undefined) throw imageMissing(reference)
  if (image.labels[IMAGE_LABEL.worker] !== '1') {
    throw new Failure(
      'invalid-value',
      `Image "${reference}" is not a hal9000 worker image (no label ${IMAGE_LABEL.worker}).`,
      {
        hint: 'build it FROM hal9000/worker',
      },
    )
  }
  return image
}

/** "<command>-<4 hex>", made to fit the rule for names. */
function defaultName(command: readonly string[], suffix: string): WorkerName {
  const base = posix
    .basename(command[0] ?? '')
    .replaceAll(/[^a-zA-Z0-9_.-]/g, '')
    .replace(/^[^a-zA-Z0-9]+/, '')
    .slice(0, 30)
  return WorkerName.parse(`${base || 'worker'}-${suffix}`)
}
