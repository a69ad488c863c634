import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Failure } from '../../coordinator/contract/failure.ts'
import type { ContainerId } from '../../coordinator/contract/names.ts'
import type { SpawnOrder } from '../../coordinator/domain/spawn-order.ts'
import type { WorkerRecord } from '../../coordinator/domain/worker-record.ts'
import { takeName } from '../../coordinator/processor/take-name.ts'
import { testContext } from '../../coordinator/workers/testing.ts'
import { orderFor, type Subject, specFor } from '../support/contract-worker.ts'
import { type Holder, type HolderState, holderIn } from '../support/holder.ts'
import { realEngine } from '../support/real-engine.ts'

/**
 * The conflict table of design, section 6, in every state that Docker has, on the real engine and without a reconcile loop,
 * which would clear most of these holders before anybody meets them.
 */
let subject: Subject

beforeAll(async () => {
  subject = await realEngine()
})
afterAll(() => subject.dispose())

type Outcome = {
  /** What taking the name came to: the failure, or "taken". */
  came: string
  notices: string[]
  /** Whether the holder is there after it. */
  survives: boolean
  end: WorkerRecord['end'] | undefined
}

const RUNS = 'name-in-use 6: Worker "NAME" is already running in PROJECT. Next: coordinator attach NAME'
const STARTS = 'name-in-use 6: Worker "NAME" is being started in PROJECT. Next: coordinator list'
const KEPT = 'name-in-use 6: An ended worker "NAME" is kept in PROJECT.'
const REPLACED = 'The running worker "NAME" was stopped and replaced.'
const CLEARED = 'An ended worker "NAME" was removed; its exit record is kept.'

const EXITED = { reason: 'exited', exitCode: 3 }

const refused = (came: string): object => ({ came: expect.stringContaining(came), survives: true, end: undefined })
const taken = (notice?: string, end?: object): object => ({
  came: 'taken',
  notices: notice === undefined ? [] : [notice],
  survives: false,
  end,
})

/** Its state, whether it is kept, its age in ms; what it comes to without --replace, and with it. */
type Row = [state: HolderState, kept: '' | 'kept', age: number, plain: object, replace: object]

const TABLE: Row[] = [
  ['running', '', 0, refused(RUNS), taken(REPLACED, { reason: 'stopped', exitCode: 143 })],
  ['paused', '', 0, refused(RUNS), taken(REPLACED, { reason: 'stopped', exitCode: 143 })],
  ['restarting', '', 0, refused(RUNS), taken(REPLACED, { reason: 'stopped' })],
  ['created', '', 31_000, taken(CLEARED), taken(CLEARED)],
  ['exited', '', 0, taken(CLEARED, EXITED), taken(CLEARED, EXITED)],
  ['exited', 'kept', 0, refused(KEPT), taken(CLEARED, EXITED)],
  ['dead', '', 0, taken(CLEARED, EXITED), taken(CLEARED, EXITED)],
  ['dead', 'kept', 0, refused(KEPT), taken(CLEARED, EXITED)],
  ['removing', '', 0, taken(), taken()],
]

describe.each(TABLE)('the name of a worker that is %s %s', (state, kept, age, plain, replaced) => {
  test.each([
    ['without --replace', false, plain],
    ['with --replace', true, replaced],
  ])('%s', async (_how, replace, expected) => {
    await using holder = await holderIn(state, subject, kept === 'kept')
    expect(await outcome(holder, { replace }, age)).toMatchObject(expected)
  })
})

test('a removal that somebody else has begun is over when ours returns', async () => {
  await using holder = await holderIn('removing', subject)
  await subject.engine.remove(holder.id)
  expect(await subject.engine.find(holder.id)).toBeUndefined()
})

test('the name of a worker that is being started, without --replace', async () => {
  await using holder = await holderIn('created', subject)
  expect(await outcome(holder, { replace: false })).toMatchObject(refused(STARTS))
})

describe.each(['created', 'running', 'exited'] as const)('a container of someone else, %s', (state) => {
  test.each([false, true])('is not touched, --replace %s', async (replace) => {
    await using holder = await holderIn(state, subject)
    // The same container, as another instance sees it.
    const others = { ...subject, instance: `${subject.instance}-2` as typeof subject.instance }
    const found = await outcome(holder, { replace }, 31_000, others)
    expect(found.came).toMatch(
      /^name-in-use 6: The container \S+ is not of this instance .* Next: choose another --name$/,
    )
    expect(found).toMatchObject({ survives: true, end: undefined })
  })
})

describe('the same request again', () => {
  test.each([
    ['running', 'adopted', true],
    ['paused', 'adopted', true],
    ['exited', 'ended', true],
    ['created', 'created', false],
  ] as const)('goes on where its container is %s: %s', async (state, came, survives) => {
    await using holder = await holderIn(state, subject)
    const order = { ...holder.order, replace: true }
    const context = await testContext(subject.engine, subject.instance)
    await using _ = context
    const result = await takeName(order, specFor(subject, order), context)
    expect(result.taken).toBe(came)
    if (result.taken === 'created') await subject.engine.remove(result.id)
    expect((await subject.engine.find(holder.id)) !== undefined).toBe(survives)
  })
})

/** What another request for the holder's name comes to. `age`: by how much later than the holder's birth it comes. */
async function outcome(
  holder: Holder,
  { replace }: { replace: boolean },
  age = 0,
  { engine, instance }: Subject = subject,
): Promise<Outcome> {
  await using context = await testContext(engine, instance)
  const order: SpawnOrder = { ...orderFor(subject, subject.commands.sleep), name: holder.order.name, replace }
  const said = (text: string): string => text.replaceAll(order.name, 'NAME').replaceAll(order.project.path, 'PROJECT')
  let id: ContainerId | undefined
  let came: string
  let notices: string[] = []
  try {
    const result = await takeName(
      order,
      { ...specFor(subject, order), name: holder.container },
      {
        ...context,
        now: () => Date.now() + age,
      },
    )
    came = result.taken === 'created' ? 'taken' : result.taken
    if (result.taken === 'created') ({ id, notices } = result)
  } catch (error) {
    const { code, exitCode, message, hint } = Failure.from(error)
    came = `${code} ${exitCode}: ${message} Next: ${hint}`
  }
  if (id !== undefined) await engine.remove(id)
  return {
    came: said(came),
    notices: notices.map(said),
    survives: (await engine.find(holder.id)) !== undefined,
    end: context.records.get(holder.order.request)?.end ?? undefined,
  }
}
