import { describe, expect, test } from 'vitest'
import { InstanceName } from '../contract/names.ts'
import { workerContainerSpec } from './container-spec.ts'
import { asWorker, type Container } from './container.ts'
import { containerName, projectHash } from './project-hash.ts'
import { aContainer, anOrder, INSTANCE, LIMITS } from './testing.ts'

/** A worker's container as the engine lists it, with some labels changed; undefined takes one away. */
function listed(labels: Record<string, string | undefined> = {}): Container {
  const { id, name, image, state, createdAt, networkOwner, labels: own } = aContainer()
  const changed = Object.entries({ ...own, ...labels }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  )
  return { id, name, image, state, createdAt, networkOwner, labels: Object.fromEntries(changed) }
}

describe('a container is known as a worker by its labels', () => {
  test('and by nothing else', () => {
    expect(asWorker(listed(), INSTANCE)).toEqual(aContainer())
    expect(asWorker({ ...listed(), labels: {} }, INSTANCE)).toBeUndefined()
  })

  test.each([
    ['of another instance', { 'hal9000.instance': 'hal9001' }],
    ['that is not managed', { 'hal9000.managed': 'false' }],
    ['in the role of a spare', { 'hal9000.role': 'spare' }],
    ['without a role', { 'hal9000.role': undefined }],
    ['of a newer schema', { 'hal9000.schema': '2' }],
    ['without a name', { 'hal9000.worker': undefined }],
    ['with an escape code for a name', { 'hal9000.worker': '\u001B[2J' }],
    ['with a relative project', { 'hal9000.project': 'proj' }],
    ['with a request that cannot be one', { 'hal9000.request': '1' }],
    ['with a spec that is no JSON', { 'hal9000.spec': '{' }],
    ['with a spec of another shape', { 'hal9000.spec': '{"limits":{"memory":"4g"}}' }],
  ])('one %s is none', (_what, labels) => {
    expect(asWorker(listed(labels), INSTANCE)).toBeUndefined()
  })
})

describe('the container of a worker', () => {
  const order = anOrder('w1', {
    env: { TOKEN: 'hunter2' },
    secrets: { key: 'c2VjcmV0' },
    command: ['curl', 'https://x:hunter2@example.org'],
    remove: false,
    io: 'pipes',
  })
  const spec = workerContainerSpec(INSTANCE, order, 'container:abc')

  test('has a name made of instance, project and worker', () => {
    expect(spec.name).toBe(`hal9000-${projectHash('/home/me/proj')}-w1`)
    expect(projectHash('/home/me/proj')).toMatch(/^[0-9a-f]{8}$/)
    expect(containerName(InstanceName.parse('t2'), order.project.path, order.name)).not.toBe(spec.name)
  })

  test('has labels from which the worker can be read again', () => {
    const { labels, name, image } = spec
    const worker = asWorker({ ...listed(), labels, name, image }, INSTANCE)
    expect(worker).toMatchObject({
      worker: 'w1',
      project: '/home/me/proj',
      request: order.request,
      spec: { limits: LIMITS, remove: false, io: 'pipes' },
    })
  })

  test('tells nothing of the command, the environment or the secrets', () => {
    expect(JSON.stringify(spec)).not.toMatch(/hunter2|c2VjcmV0|TOKEN|curl/)
    expect(spec.command).toBeUndefined()
  })

  test('sees the project at the same path and nothing else of the host', () => {
    expect(spec.mounts).toEqual([{ source: '/home/me/proj', target: '/home/me/proj', readOnly: false }])
    expect(spec.network).toBe('container:abc')
    expect(spec.stdin).toBe(true)
  })
})

test('the hash of a project is the beginning of SHA-256 of its path', () => {
  // printf /proj | sha256sum
  expect(projectHash('/proj')).toBe('79903f0c')
})
