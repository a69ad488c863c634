import { closeSync, writeSync } from 'node:fs'
import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import pino from 'pino'
import { Attachments } from './control/attachments.ts'
import type { ControlContext } from './control/context.ts'
import type { IntakeContext } from './control/intake.ts'
import { Leaving } from './control/leaving.ts'
import { listen } from './control/server.ts'
import { connector } from './docker/connection.ts'
import { dockerodeEngine } from './docker/dockerode-engine.ts'
import { untold } from './domain/worker-events.ts'
import { build, readEnvironment } from './environment.ts'
import { problems } from './health.ts'
import { explainedByHome } from './instance/home.ts'
import { Hold } from './instance/hold.ts'
import { isIntact } from './instance/lock.ts'
import { removeOwnerRecord } from './instance/owner-record.ts'
import { takeInstance } from './instance/take.ts'
import { end, fail, leave, startAbove } from './leave.ts'
import type { CarryOutContext } from './processor/carry-out.ts'
import { Outage } from './processor/outage.ts'
import { Room } from './processor/room.ts'
import { Surroundings } from './project/surroundings.ts'
import { putBackWhenBack } from './queue/put-back.ts'
import { SpawnQueue } from './queue/spawn-queue.ts'
import { SpooledInputs } from './queue/spooled-inputs.ts'
import { Reconciler } from './reconciler/loop.ts'
import { renewWhenStale } from './renew.ts'
import { resume } from './resume.ts'
import { shutDown } from './shutdown.ts'
import { damagedCopies, damageText } from './state/damaged-redis.ts'
import { isFull } from './state/disk-room.ts'
import { loadKey } from './state/key.ts'
import { openRecords } from './state/records.ts'
import { readUserFile } from './state/user-file.ts'
import { EventLog } from './store/event-log.ts'
import { claimEpoch, fenceOf, raiseEpoch } from './store/fence.ts'
import { openRedis, redisAddress } from './store/redis.ts'
import { tellDamage } from './tell-damage.ts'
import type { Context } from './workers/context.ts'
import { Pulls } from './workers/pulls.ts'
import { Roster } from './workers/roster.ts'
import { SingleFlight } from './workers/single-flight.ts'

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
  const isEmbedded = environment.HAL9000_REDIS_URL.startsWith('/run/hal9000/redis/')
  const explained: ControlContext['explained'] = async (failure) =>
    isEmbedded ? await explainedByHome(failure, home) : failure
  const fence = fenceOf(environment.HAL9000_NAME, owner.epoch)
  let claimed = false
  const hold = new Hold({
    epoch: owner.epoch,
    lockIntact: () => isIntact(home, lock),
    greatestEpoch: async () => (claimed ? await raiseEpoch(redis, fence).catch(() => undefined) : undefined),
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
    onLostLock: () => hold.doubt(),
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
  const room = new Room(capacity, roster, () => isFull(home))
  const outage = new Outage(() => roster.containers())
  const spawnContext: CarryOutContext = {
    ...context,
    room,
    outage,
    network: () => surroundings.network(),
    checkNetwork: () => surroundings.checkNetwork(),
    input: (order) => inputs.read(order),
  }

  const control: ControlContext = {
    ...context,
    queue,
    inputs,
    room,
    outage,
    pulls: new Pulls(context, { stall: environment.HAL9000_PULL_STALL, most: environment.HAL9000_MAX_QUEUE }),
    arriving: new SingleFlight(),
    explained,
    events,
    plan: () => reconciler.plan(),
    attachments: new Attachments(context),
    leaving: new Leaving(),
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
    beginning: () => ({ looked: reconciler.seen || reconciler.trouble !== undefined, claimed }),
    problems: () => problems({ home, explained, reconciler, surroundings, queue, claimed: () => claimed }),
    notices: async () => (await damagedCopies(home)).map(damageText),
  }
  const server = await listen(environment.HAL9000_SOCKET, control)
  passed('listening')
  announceReadiness()

  const unwatch = hold.watch()
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    log.info({ signal }, 'shutting down')
    unwatch()
    context.note({ kind: 'coordinator-stopping', worker: null, project: null, request: null, message: signal })
    const { leaving, attachments } = control
    const forget = (): Promise<void> => removeOwnerRecord(home, owner)
    await shutDown({ leaving, attachments, queue, reconciler, events, server, redis, forget, log })
    log.info('stopped')
    // What still runs, such as a stop in its grace, the next coordinator finds in the records and goes on with.
    end(0)
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void stop(signal))

  // Redis's epoch is looked at for the first time before anything is written there; from then on, as the lock, for life.
  const claim = async (): Promise<void> => {
    const before = await claimEpoch(redis, fence)
    if (before >= owner.epoch) await startAbove(before, owner.epoch, home, log)
    claimed = true
    await events.flush()
    // Spawns that a coordinator before this one left are gone on with as soon as Redis is there.
    await resume(queue, inputs, spawnContext)
    putBackWhenBack(redis, fence, queue)
  }
  claim().catch(fail)
  redis.on('ready', () => void tellDamage(context))
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
    // Not as it is: what Redis refused is a part of it, such as a password.
    log.warn({ said: error.message }, 'Redis')
  }
}

main().catch(fail)
