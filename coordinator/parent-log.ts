import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Failure } from './contract/failure.ts'
import { SCHEMA_VERSION } from './contract/worker.ts'
import { connector } from './docker/connection.ts'
import { dockerodeEngine } from './docker/dockerode-engine.ts'
import { readEnvironment } from './environment.ts'
import { Surroundings } from './project/surroundings.ts'

/**
 * Copies the log of the container that this runs in: `parent-log [--follow] [--tail N] [--since MILLISECONDS] [--json]`.
 * The engine keeps it, so it is there while the coordinator is not, and when the state directory takes nothing.
 */
async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      follow: { type: 'boolean', default: false },
      tail: { type: 'string' },
      since: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  })
  try {
    const environment = readEnvironment(process.env)
    const engine = dockerodeEngine(connector(environment.HAL9000_DOCKER_SOCKET), environment.HAL9000_NAME)
    const parent = await new Surroundings(engine, environment).parent()
    const entries = await engine.logs(parent, {
      follow: values.follow,
      ...(values.tail !== undefined && { tail: Number(values.tail) }),
      ...(values.since !== undefined && { since: Number(values.since) }),
    })
    for await (const { data } of entries ?? []) if (!process.stdout.write(data)) await once(process.stdout, 'drain')
  } catch (error) {
    const failure = Failure.from(error)
    if (values.json) {
      process.stdout.write(`${JSON.stringify({ schemaVersion: SCHEMA_VERSION, error: failure.toShape() })}\n`)
    } else process.stderr.write(`${failure.message}\n${failure.hint === undefined ? '' : `Next: ${failure.hint}\n`}`)
    process.exitCode = failure.exitCode
  }
}

// Whoever read it has gone: `| head` is no failure.
process.stdout.on('error', () => process.kill(process.pid, 'SIGTERM'))
void main()
