import { expect, test } from 'vitest'
import { workerContainerSpec } from '../domain/container-spec.ts'
import { anOrder, INSTANCE } from '../domain/testing.ts'
import { containerOptions } from './container-options.ts'

const spec = workerContainerSpec(INSTANCE, anOrder(), 'container:abc')

test('a worker is created without privileges beyond those its entrypoint needs', () => {
  const { User, HostConfig } = containerOptions(spec)
  expect(User).toBe('0:0')
  expect(HostConfig).toMatchObject({
    CapDrop: ['ALL'],
    CapAdd: ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'SETUID', 'SETGID', 'SETPCAP', 'KILL'],
    SecurityOpt: ['no-new-privileges:true'],
  })
  for (const key of [
    'Privileged',
    'PidMode',
    'IpcMode',
    'Devices',
    'Binds',
    'RestartPolicy',
    'UsernsMode',
    'CgroupParent',
  ]) {
    expect(HostConfig).not.toHaveProperty(key)
  }
})

test('a worker outlives its end until its record is written', () => {
  expect(containerOptions(spec).HostConfig?.AutoRemove).toBe(false)
})

test('the project is mounted by the engine, which refuses a missing path', () => {
  expect(containerOptions(spec).HostConfig?.Mounts).toEqual([
    { Type: 'bind', Source: '/home/me/proj', Target: '/home/me/proj', ReadOnly: false },
  ])
})

test('the assignment goes over stdin, once, without a terminal', () => {
  expect(containerOptions(spec)).toMatchObject({ Tty: false, OpenStdin: true, StdinOnce: true, AttachStdin: true })
  expect(containerOptions({ ...spec, stdin: false })).toMatchObject({
    OpenStdin: false,
    StdinOnce: false,
    AttachStdin: false,
  })
})

test('limits are in the units of the engine, and swap is no way around the memory limit', () => {
  const options = containerOptions({ ...spec, limits: { memory: 2 ** 30, cpus: 0.29, pids: 64 } })
  expect(options.HostConfig).toMatchObject({
    Memory: 2 ** 30,
    MemorySwap: 2 ** 30,
    NanoCpus: 290_000_000,
    PidsLimit: 64,
  })
})

test('what is not limited is not mentioned', () => {
  const { HostConfig } = containerOptions({ ...spec, limits: { memory: null, cpus: null, pids: null } })
  for (const key of ['Memory', 'MemorySwap', 'NanoCpus', 'PidsLimit']) expect(HostConfig).not.toHaveProperty(key)
})

test('everything that can grow has a bound', () => {
  expect(containerOptions(spec).HostConfig).toMatchObject({
    LogConfig: { Type: 'json-file', Config: { 'max-size': '50m', 'max-file': '2' } },
    Tmpfs: { '/run': 'rw,nosuid,nodev,mode=755,size=41943040' },
  })
})

test('the image’s own entrypoint is used unless another is asked for', () => {
  expect(containerOptions(spec)).not.toHaveProperty('Entrypoint')
  expect(containerOptions(spec)).not.toHaveProperty('Cmd')
  expect(containerOptions({ ...spec, entrypoint: ['/bin/a'], command: ['b'] })).toMatchObject({
    Entrypoint: ['/bin/a'],
    Cmd: ['b'],
  })
})
