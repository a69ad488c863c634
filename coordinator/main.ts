import { spawn as spawnProcess } from 'node:child_process'
import { closeSync, writeSync } from 'node:fs'
import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import pino from 'pino'
import { FAILURES, Failure } from './contract/failure.ts'
import { Attachments } from './control/attachments.ts'
import type { ControlContext } from './control/context.ts'
import type { IntakeContext } from './control/intake.ts'
import { listen } from './control/server.ts'
import type { SpawnOrder } from './domain/spawn-order.ts'
import { connector } from './docker/connection.ts'
import { dockerodeEngine } from './docker/dockerode-engine.ts'
import { isReplaced } from './docker/socket.ts'
import { untold } from './domain/worker-events.ts'
import { build, readEnvironment } from './environment.ts'
import { keepEpoch } from './instance/epoch.ts'
import { Hold, type Loss } from './instance/hold.ts'
import { isIntact } from './instance/lock.ts'
import { removeOwnerRecord } from './instance/owner-record.ts'
import { takeInstance } from './instance/take.ts'
import { spawn, type SpawnContext } from './processor/spawn.ts'
import { Room } from './processor/room.ts'
import { Surroundings } from './project/surroundings.ts'
import { SpawnQueue } from './queue/spawn-queue.ts'
import { SpooledInputs } from './queue/spooled-inputs.ts'
import { Reconciler } from './reconciler/loop.ts'
import { loadKey } from './state/key.ts'
import { openRecords } from './state/records.ts'
import { readUserFile } from './state/user-file.ts'
import { EventLog } from './store/event-log.ts'
import { claimEpoch, fenceOf, raiseEpoch } from './store/fence.ts'
import { checkRedis, openRedis, redisAddress } from './store/redis.ts'
import type { Context } from './workers/context.ts'
import { Roster } from './workers/roster.ts'
import { inTime } from './workers/take-back.ts'

/** How long running spawns may take to their end at shutdown; what is not done is handed on. Milliseconds. */
const SHUTDOWN_GRACE = 1_000
/** And how long the rest may take: the supervisor kills after 2 s. Milliseconds. */
const SHUTDOWN_REST = 500
/** How often a parent without an engine looks whether its socket is the engine's still. Milliseconds. */
const RENEW = 2_000
/** How long Redis may take to say whether the instance is still ours. Milliseconds. */
const REDIS_PATIENCE = 1_000

/**
 * The composition root: reads environment, clock and signals, builds the parts, runs, shuts down. The only place that does.
 */
async function main(): Promise<void> {
  const started = performance.now()
  const startup: Record<string, number> = { process: Math.round(started) }
  const passed = (phase: string): void => {
    startup[phase] = Math.round(performance.now() - started)
    log.info({ phase, ms: startup[phase] }, 'startup')
  }
  const environment = readEnvironment(process.env)
  const log = pino({
    name: 'coordinator',
    level: environment.HAL9000_LOG_LEVEL,
    base: { instance: environment.HAL9000_NAME },
  })
  const onRedisError = quietly(log)
  const home = await realpath(environment.HAL9000_HOME).catch(() => environment.HAL9000_HOME)

  const { owner, lock } = await takeInstance({
    home,
    instance: environment.HAL9000_NAME,
    version: build().version,
    environment: process.env,
    log,
    now: Date.now,
  })
  passed('held')
  // The entrypoint has made it, and somebody may have removed it since.
  await mkdir(join(home, 'logs', 'workers'), { recursive: true, mode: 0o700 })
  const [records, key] = await Promise.all([openRecords(join(home, 'sessions')), loadKey(join(home, 'key'))])
  for (const problem of records.problems) log.warn({ problem }, 'a record could not be read')
  passed('records')

  const engine = dockerodeEngine(connector(environment.HAL9000_DOCKER_SOCKET), environment.HAL9000_NAME)
  const address = redisAddress(environment.HAL9000_REDIS_URL)
  const redis = openRedis(address, onRedisError)
  const fence = fenceOf(environment.HAL9000_NAME, owner.epoch)
  let claimed = false
  const hold = new Hold({
    epoch: owner.epoch,
    lockIntact: () => isIntact(home, lock),
    greatestEpoch: async () => (claimed ? await soon(raiseEpoch(redis, fence)) : undefined),
    onLoss: (loss) => leave(loss, log),
    now: () => performance.now(),
  })
  const found = records.all()
  const events = new EventLog(redis, environment.HAL9000_NAME, fence, (kept) => untold(found, kept))
  const roster = new Roster(engine, records, environment.HAL9000_NAME, Date.now)
  const context: Context = {
    instance: environment.HAL9000_NAME,
    home,
    engine,
    records,
    roster,
    recording: new Map(),
    stillHeld: () => hold.confirm(),
    note: (event) => events.add(event),
    desireKnown: () => roster.resumed && redis.status === 'ready',
    wakeAt: (time) => reconciler.wakeAt(time),
    log,
    now: Date.now,
  }
  const surroundings = new Surroundings(engine, environment)
  const queue = new SpawnQueue({
    redis: address,
    instance: environment.HAL9000_NAME,
    key,
    fence,
    onError: onRedisError,
  })
  const inputs = new SpooledInputs({
    redis,
    instance: environment.HAL9000_NAME,
    key,
    onError: onRedisError,
    now: Date.now,
  })
  const reconciler = new Reconciler(context, {
    count: environment.HAL9000_KEEP_RECORDS,
    age: environment.HAL9000_KEEP_AGE,
    logBytes: environment.HAL9000_KEEP_LOGS,
  })
  const capacity = {
    maxWorkers: environment.HAL9000_MAX_WORKERS,
    memoryBudget: environment.HAL9000_MEMORY_BUDGET,
    cpuBudget: environment.HAL9000_CPU_BUDGET,
  }
  const room = new Room(capacity, roster)
  const spawnContext: SpawnContext = {
    ...context,
    room,
    network: () => surroundings.network(),
    checkNetwork: () => surroundings.checkNetwork(),
    input: (order) => inputs.read(order),
  }

  const control: ControlContext = {
    ...context,
    queue,
    inputs,
    room,
    arriving: new Map(),
    events,
    plan: () => reconciler.plan(),
    attachments: new Attachments(context),
    intake: intakeContext(surroundings, context),
    maxQueue: environment.HAL9000_MAX_QUEUE,
    maxWorkers: environment.HAL9000_MAX_WORKERS,
    owner,
    version: owner.version,
    startedAt: owner.startedAt,
    startup,
    projectRoots: environment.HAL9000_PROJECT_ROOTS,
    networkKind: () => surroundings.networkKind(),
    engineHost: () => surroundings.host(),
    problems: async () => {
      const engineTrouble =
        reconciler.trouble ??
        (reconciler.seen ? undefined : new Failure('not-ready', 'The first look at the engine is not over yet.'))
      const spawnTrouble = engineTrouble ?? (await failureOf(surroundings.checkNetwork()))
      const redisTrouble = await failureOf(checkRedis(redis))
      const fenceTrouble = claimed ? undefined : new Failure('not-ready', 'Redis has not taken our epoch yet.')
      return [spawnTrouble, redisTrouble ?? fenceTrouble].filter((problem) => problem !== undefined)
    },
  }
  const server = await listen(environment.HAL9000_SOCKET, control)
  passed('listening')
  announceReadiness()

  // Redis's epoch is looked at for the first time before anything is written there; from then on, as the lock, for life.
  const claim = async (): Promise<void> => {
    const before = await claimEpoch(redis, fence)
    if (before >= owner.epoch) await startAbove(before, owner.epoch, home, log)
    claimed = true
    await events.flush()
    // Spawns that a coordinator before this one left are gone on with as soon as Redis is there.
    await resume(queue, inputs, spawnContext)
  }
  claim().catch(fail)
  const unwatch = hold.watch()
  await reconciler.start()
  passed('reconciled')
  if (environment.HAL9000_RESTARTS === '1') renewWhenStale(environment.HAL9000_DOCKER_SOCKET, reconciler, log)
  context.note({
    kind: 'coordinator-started',
    worker: null,
    project: null,
    request: null,
    message: `version ${owner.version}, epoch ${owner.epoch}`,
  })

  const shutDown = async (signal: NodeJS.Signals): Promise<void> => {
    log.info({ signal }, 'shutting down')
    unwatch()
    context.note({ kind: 'coordinator-stopping', worker: null, project: null, request: null, message: signal })
    await queue.close(SHUTDOWN_GRACE)
    const rest = Promise.all([server.close(), reconciler.stop(), events.flush()])
    await Promise.race([rest, new Promise((resolve) => setTimeout(resolve, SHUTDOWN_REST).unref())])
    redis.disconnect()
    await removeOwnerRecord(home, owner).catch((error: unknown) => log.warn({ err: error }, 'the owner record stays'))
    log.info('stopped')
    // What still runs is a stop in its grace; the next coordinator finds it in the record and goes on.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), SHUTDOWN_REST).unref()
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void shutDown(signal))
}

function failureOf(check: Promise<void>): Promise<Failure | undefined> {
  return check.then(
    () => undefined,
    (error: unknown) => Failure.from(error),
  )
}

/** What Redis says in good time; undefined when it does not. */
async function soon(answer: Promise<number>): Promise<number | undefined> {
  const late = new Promise<undefined>((resolve) => {
    setTimeout(() => resolve(undefined), REDIS_PATIENCE).unref()
  })
  return await Promise.race([answer.catch(() => undefined), late])
}

/** Ends this process at once, in the middle of whatever it does: the instance is not ours any more. */
function leave(loss: Loss, log: pino.Logger): void {
  log.fatal({ lost: loss.lost }, `this coordinator has lost its instance and ends: ${loss.because}`)
  // By its code the service's finish script knows whether to start the next one.
  end(FAILURES[loss.lost === 'epoch' ? 'instance-locked' : 'not-ready'].exitCode)
}

/** Redis knows our epoch, or a greater one: the state directory is new, or an older copy. The next start goes above that. */
async function startAbove(before: number, epoch: number, home: string, log: pino.Logger): Promise<void> {
  await keepEpoch(home, before)
  log.warn(`Redis knows epoch ${before}, and the state directory gave us ${epoch}: starting again above both`)
  end(FAILURES['not-ready'].exitCode)
}

function end(code: number): void {
  // Not by exitCode: what is under way would be gone on with until all of it has ended.
  // oxlint-disable-next-line unicorn/no-process-exit
  process.exit(code)
}

/** A parent whose socket was replaced would never see the engine again: it ends, and is started with the new one. */
function renewWhenStale(socket: string, reconciler: Reconciler, log: pino.Logger): void {
  const timer = setInterval(() => {
    if (reconciler.trouble === undefined || !isReplaced(socket)) return
    clearInterval(timer)
    log.warn('the Docker engine has a new socket; the parent ends and is started again to have it')
    spawnProcess('/usr/lib/hal9000/renew', { detached: true, stdio: 'ignore' }).unref()
  }, RENEW)
  timer.unref()
}

/** Takes up the queue as soon as Redis is there, however long that takes. */
async function resume(queue: SpawnQueue, inputs: SpooledInputs, context: SpawnContext): Promise<void> {
  for (;;) {
    try {
      for (const order of await queue.pending()) takeUp(order, queue, inputs, context)
      context.roster.resumed = true
      await queue.start((order, begun) => spawn(order, begun, context))
      return
    } catch (error) {
      context.log.debug({ err: error }, 'the queue is not there yet')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}

/** An order from before: it is on its way until it has an answer, which it gets in time. */
function takeUp(order: SpawnOrder, queue: SpawnQueue, inputs: SpooledInputs, context: Context): void {
  const { underway } = context.roster
  underway.set(order.request, { order, state: 'queued' })
  const settled = queue.settled(order.request)
  inputs.dropOnceSettled(order, settled)
  inTime(order, settled, { ...context, queue })
    .catch(() => {}) // Told as an event; who asked asks again.
    .finally(() => underway.delete(order.request))
}

function intakeContext(surroundings: Surroundings, context: Context): IntakeContext {
  return {
    project: () => surroundings.project(),
    host: () => surroundings.host(),
    image: (reference) => context.engine.image(reference),
    userFile: () => readUserFile(context.home),
    environment: process.env,
    defaultImage: `hal9000/worker:${build().version}`,
    now: context.now,
  }
}

/** s6's readiness notification: a newline on the descriptor it opened for us (s6, "notification-fd"). */
function announceReadiness(): void {
  const descriptor = Number(process.env['NOTIFY_FD'])
  if (!Number.isInteger(descriptor) || descriptor < 3) return
  writeSync(descriptor, '\n')
  closeSync(descriptor)
}

/** One line a second at most: a Redis that is away fails many times a second. */
function quietly(log: pino.Logger): (error: Error) => void {
  let last = 0
  return (error) => {
    const now = Date.now()
    if (now - last < 1000) return
    last = now
    log.warn({ err: error }, 'Redis')
  }
}

function fail(error: unknown): void {
  const failure = Failure.from(error)
  pino({ name: 'coordinator' }).fatal({ err: failure }, failure.message)
  // Connections may be open already, and a coordinator that does not serve must not keep the lock.
  end(failure.exitCode)
}

main().catch(fail)
