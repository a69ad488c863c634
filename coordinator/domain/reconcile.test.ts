import { describe, expect, test } from 'vitest'
import { YOUNG } from './conflict.ts'
import type { NetworkOwner } from './network.ts'
import { reconcile, render, type Seen } from './reconcile.ts'
import { aContainer, anEnd, aRecord, containerId, NOW, requestId } from './testing.ts'

function plan(seen: Partial<Seen>): string {
  const nothing = {
    containers: [],
    records: [],
    busy: new Set<never>(),
    desireKnown: true,
    absentBefore: new Set<never>(),
    idleBefore: new Set<never>(),
    owners: new Map<never, never>(),
    limitHit: new Set<never>(),
  }
  return render(reconcile({ ...nothing, ...seen }, NOW))
}

const SPEC = aContainer().spec
const KEPT = { ...SPEC, remove: false }

test('where all is as it should be there is nothing to do', () => {
  expect(plan({})).toBe('')
  expect(plan({ containers: [aContainer()], records: [aRecord()] })).toBe('')
})

describe('a worker that ended', () => {
  test.each(['exited', 'dead'] as const)('has its end recorded, then is removed (%s)', (state) => {
    expect(plan({ containers: [aContainer('w1', { state })], records: [aRecord()] })).toBe(
      `record-end 3f2a (w1): the container is ${state}\nremove 3f2a (w1): ended, exit record written\n`,
    )
  })

  test('is treated so without a record too', () => {
    expect(plan({ containers: [aContainer('w1', { state: 'exited' })] })).toBe(
      'record-end 3f2a (w1): the container is exited\nremove 3f2a (w1): ended, exit record written\n',
    )
  })

  test('is only removed once its end is recorded', () => {
    expect(
      plan({ containers: [aContainer('w1', { state: 'exited' })], records: [aRecord('w1', { end: anEnd() })] }),
    ).toBe('remove 3f2a (w1): ended 12 s ago, exit record written\n')
  })

  test('stays when it is kept on purpose', () => {
    const containers = [aContainer('w1', { state: 'exited', spec: KEPT })]
    expect(plan({ containers, records: [aRecord()] })).toBe('record-end 3f2a (w1): the container is exited\n')
    expect(plan({ containers, records: [aRecord('w1', { end: anEnd() })] })).toBe('')
  })

  test('is left alone while it is being removed', () => {
    expect(plan({ containers: [aContainer('w1', { state: 'removing' })] })).toBe('')
  })
})

describe('a worker that runs', () => {
  test.each(['running', 'paused', 'restarting'] as const)(
    'without a record is adopted, never removed (%s)',
    (state) => {
      expect(plan({ containers: [aContainer('w1', { state })] })).toBe('adopt 3f2a (w1): it runs and has no record\n')
    },
  )

  test('is stopped when its time is up, not before', () => {
    const at = (deadline: number) => plan({ containers: [aContainer()], records: [aRecord('w1', { deadline })] })
    expect(at(NOW + 1)).toBe('')
    expect(at(NOW)).toBe('time-out 3f2a (w1): its time is up\n')
  })

  test('is stopped again when grace and slack are over and it still runs', () => {
    const at = (ago: number) =>
      plan({
        containers: [aContainer()],
        records: [aRecord('w1', { deadline: 1, stop: { reason: 'stopped', at: NOW - ago, grace: 10 } })],
      })
    expect(at(14_999)).toBe('')
    expect(at(15_000)).toBe('stop-again 3f2a (w1): a stop was asked for and it still runs\n')
  })
})

describe('a running worker that has lost its network', () => {
  const joined = aContainer()
  const owner = joined.networkOwner ?? containerId('')
  const stopping = aContainer('w1', { spec: { ...SPEC, onNetworkLoss: 'stop' } })
  const lost = (what: NetworkOwner, container = joined, record = aRecord()) =>
    plan({ containers: [container], records: [record], owners: new Map([[owner, what]]) })

  test.each<[NetworkOwner, string]>([
    ['gone', 'the container that owns its network (0e7000000000) is gone'],
    ['not-running', 'the container that owns its network (0e7000000000) does not run'],
    [NOW, 'the container that owns its network (0e7000000000) was started again after it'],
  ])('is told so: %s', (what, because) => {
    expect(lost(what)).toBe(`tell-network-lost 3f2a (w1): ${because}\n`)
  })

  test('is told so once', () => {
    expect(lost('gone', joined, aRecord('w1', { networkLostAt: NOW }))).toBe('')
  })

  test('is stopped where that was wanted, also when it was told already', () => {
    const stop = 'stop-for-network 3f2a (w1): its network is lost, and then it is to stop\n'
    expect(lost('gone', stopping)).toBe(
      `tell-network-lost 3f2a (w1): the container that owns its network (0e7000000000) is gone\n${stop}`,
    )
    expect(lost('gone', stopping, aRecord('w1', { networkLostAt: NOW }))).toBe(stop)
    expect(plan({ containers: [stopping], records: [aRecord('w1', { networkLostAt: NOW })] })).toBe(stop)
  })

  test('is not stopped a second time', () => {
    const asked = { reason: 'network-lost' as const, at: NOW, grace: 10 }
    expect(lost('gone', stopping, aRecord('w1', { networkLostAt: NOW, stop: asked }))).toBe('')
  })

  test.each<[string, NetworkOwner]>([
    ['its owner runs since before it', NOW - 60_001],
    ['its owner was started in the moment it became ready', NOW - 60_000],
  ])('has not lost it while %s', (_what, since) => {
    expect(lost(since, stopping)).toBe('')
  })

  test('has not lost what it never joined, nor what nobody looked at', () => {
    expect(lost('gone', aContainer('w1', { networkOwner: null }))).toBe('')
    expect(plan({ containers: [stopping], records: [aRecord()] })).toBe('')
  })

  test('is left alone while it starts, and once its end is recorded', () => {
    expect(lost('gone', stopping, aRecord('w1', { readyAt: null }))).toBe('')
    expect(lost('gone', stopping, aRecord('w1', { end: anEnd() }))).toBe('')
  })
})

describe('a running worker of which the engine says that memory was short', () => {
  const limitHit = new Set([aContainer().id])

  test('is told so, once', () => {
    expect(plan({ containers: [aContainer()], records: [aRecord()], limitHit })).toBe(
      'tell-limit-hit 3f2a (w1): a process of it was killed for want of memory\n',
    )
    expect(plan({ containers: [aContainer()], records: [aRecord('w1', { limitHitAt: NOW })], limitHit })).toBe('')
  })

  test('and that ended for it is only recorded', () => {
    expect(
      plan({ containers: [aContainer('w1', { state: 'exited', spec: KEPT })], records: [aRecord()], limitHit }),
    ).toBe('record-end 3f2a (w1): the container is exited\n')
  })
})

describe('a worker that was created and not started', () => {
  const old = aContainer('w1', { state: 'created', createdAt: NOW - YOUNG })
  const idleBefore = new Set([old.id])

  test('is left to its spawn while it is young', () => {
    expect(plan({ containers: [{ ...old, createdAt: NOW - YOUNG + 1 }], idleBefore })).toBe('')
  })

  test('is removed later, when two passes saw it so', () => {
    expect(plan({ containers: [old] })).toBe('')
    expect(plan({ containers: [old], idleBefore })).toBe(
      'discard 3f2a (w1): created long ago, never started, and in two passes no spawn worked on it\n',
    )
  })

  test('stays while it cannot be known who wants it', () => {
    expect(plan({ containers: [old], idleBefore, desireKnown: false })).toBe('')
    expect(plan({ containers: [old], idleBefore, busy: new Set([old.request]) })).toBe('')
  })
})

describe('a record without a container', () => {
  const record = aRecord()

  test('is given an end when the container was absent in two passes', () => {
    expect(plan({ records: [record] })).toBe('')
    expect(plan({ records: [record], absentBefore: new Set([record.request]) })).toBe(
      'record-vanished 3f2a (w1): its container was absent in two passes\n',
    )
    expect(plan({ records: [aRecord('w1', { container: null })], absentBefore: new Set([record.request]) })).toBe(
      'record-vanished - (w1): its container was absent in two passes\n',
    )
  })

  test('is left alone when it has ended, is back, or a spawn works on it', () => {
    const absentBefore = new Set([record.request])
    expect(plan({ records: [aRecord('w1', { end: anEnd() })], absentBefore })).toBe('')
    expect(plan({ records: [record], containers: [aContainer()], absentBefore })).toBe('')
    expect(plan({ records: [record], absentBefore, busy: new Set([record.request]) })).toBe('')
  })
})

test('a spawn cares for its own container, in every state', () => {
  for (const state of ['created', 'running', 'paused', 'restarting', 'exited', 'dead', 'removing'] as const) {
    expect(plan({ containers: [aContainer('w1', { state, createdAt: 0 })], busy: new Set([requestId('r-w1')]) })).toBe(
      '',
    )
  }
})

test('workers are cared for independently of each other', () => {
  const containers = [aContainer('w1', { state: 'exited' }), aContainer('w2', { id: containerId('beef') })]
  expect(
    plan({ containers, records: [aRecord('w3', { deadline: 1 })], absentBefore: new Set([requestId('r-w3')]) }),
  ).toBe(
    'record-end 3f2a (w1): the container is exited\n' +
      'remove 3f2a (w1): ended, exit record written\n' +
      'adopt beef (w2): it runs and has no record\n' +
      'record-vanished 3f2a (w3): its container was absent in two passes\n',
  )
})
