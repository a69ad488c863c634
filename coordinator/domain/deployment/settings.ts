import { Failure } from '../../contract/failure.ts'

/** What `up` itself consumes or the parent is told by other means; never passed on as a setting. */
const NOT_PASSED = new Set([
  'HAL9000_COLUMNS',
  'HAL9000_CWD',
  'HAL9000_DOCKER_SOCKET',
  'HAL9000_HANDOFF',
  'HAL9000_HOME',
  'HAL9000_HOST_HOME',
  'HAL9000_LIFELINE',
  'HAL9000_NAME',
  'HAL9000_PARENT_IMAGE',
  'HAL9000_PROJECT_ROOTS',
  'HAL9000_PUBLISH',
  'HAL9000_ROWS',
  'HAL9000_SOCKET',
  'HAL9000_TERMINAL',
])

/**
 * The user's settings that go into the parent's environment. `names` are the variables set on the host; their values
 * are in `environment`. Inside the parent that holds older settings too, hence the names.
 */
export function parentSettings(
  names: readonly string[],
  environment: Record<string, string | undefined>,
): Record<string, string> {
  const passed = names.filter(
    (name) => /^(HAL9000|WORKER)_|^(SKIP|LAZY)_IMAGE_PULL$/.test(name) && !NOT_PASSED.has(name),
  )
  return Object.fromEntries([...new Set(passed)].sort().map((name) => [name, environment[name] ?? '']))
}

/** `[ADDRESS:]HOST:CONTAINER[/tcp|/udp]` as HAL9000_PUBLISH gives it, normalised: `0.0.0.0:8080:80/tcp`. */
const PORT =
  /^(?:(?<address>[0-9.]+|\[[0-9a-f:]+\]):)?(?<host>\d{1,5}):(?<container>\d{1,5})(?:\/(?<protocol>tcp|udp))?$/

/**
 * Ports to publish on the network holder, comma-separated; undefined when the variable is not set, which keeps what is
 * published now. An empty value publishes nothing.
 */
export function publishedPorts(text: string | undefined): string[] | undefined {
  const entries = text?.split(',').map((entry) => entry.trim())
  return entries
    ?.filter((entry) => entry !== '')
    .map(publishedPort)
    .sort()
}

function publishedPort(entry: string): string {
  const parts = PORT.exec(entry)?.groups
  const ports = [Number(parts?.['host']), Number(parts?.['container'])]
  if (parts === undefined || !ports.every((port) => port >= 1 && port <= 65_535)) {
    throw new Failure(
      'invalid-value',
      `HAL9000_PUBLISH: "${entry}" is not a port such as 8080:80 or 127.0.0.1:8080:80/tcp.`,
    )
  }
  return `${parts['address'] ?? '0.0.0.0'}:${ports[0]}:${ports[1]}/${parts['protocol'] ?? 'tcp'}`
}
