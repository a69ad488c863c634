import { expect, test } from 'vitest'
import { endProcess, type Proof } from './end-process.ts'

const PROVEN: Proof = { is: 'proven', stopped: false }
const STOPPED: Proof = { is: 'proven', stopped: true }
const GONE: Proof = { is: 'gone' }
const UNPROVEN: Proof = { is: 'unproven', because: 'it is somebody else' }

/** A process that is as `seen` says, by what was sent to it so far; time passes only in pauses. */
async function end(
  seen: (sent: readonly string[], clock: number) => Proof,
): Promise<{ sent: string[]; clock: number }> {
  const sent: string[] = []
  let clock = 0
  let proven = false
  await endProcess({
    prove: async () => {
      const proof = seen(sent, clock)
      proven = proof.is === 'proven'
      return proof
    },
    signal: (name) => {
      // Right after the proof, and once for each.
      if (!proven) throw new Error(`${name} without a proof`)
      proven = false
      sent.push(name)
    },
    pause: async (milliseconds) => void (clock += milliseconds),
    now: () => clock,
  })
  return { sent, clock }
}

test('one that has ended gets no signal', async () => {
  expect(await end(() => GONE)).toEqual({ sent: [], clock: 0 })
})

test('one that leaves when it is asked gets no more', async () => {
  expect(await end((sent) => (sent.length > 0 ? GONE : PROVEN))).toEqual({ sent: ['SIGTERM'], clock: 0 })
})

test('one that is stopped is woken to hear it', async () => {
  const { sent } = await end((sent) => (sent.includes('SIGCONT') ? GONE : STOPPED))
  expect(sent).toEqual(['SIGTERM', 'SIGCONT'])
})

test('one that does not leave is killed after its time', async () => {
  const { sent, clock } = await end((sent) => (sent.includes('SIGKILL') ? GONE : PROVEN))
  expect(sent).toEqual(['SIGTERM', 'SIGKILL'])
  expect(clock).toBeGreaterThanOrEqual(3_000)
})

test('one that is not proven gets no signal, and that is told', async () => {
  const failure = { code: 'instance-locked', message: expect.stringContaining('it is somebody else') }
  await expect(end(() => UNPROVEN)).rejects.toMatchObject(failure)
})

test('one that is not proven any more after it was asked is not killed', async () => {
  const sent: string[] = []
  const ending = end((so) => {
    sent.splice(0, sent.length, ...so)
    return so.length > 0 ? UNPROVEN : PROVEN
  })
  await expect(ending).rejects.toMatchObject({ code: 'instance-locked' })
  expect(sent).toEqual(['SIGTERM'])
})

test('one that lets go of its lock while it ends is waited for', async () => {
  const { sent } = await end((sent, clock) => (sent.length === 0 ? PROVEN : clock < 500 ? UNPROVEN : GONE))
  expect(sent).toEqual(['SIGTERM'])
})

test('one that outlives its kill is told', async () => {
  await expect(end(() => PROVEN)).rejects.toMatchObject({ message: expect.stringContaining('outlived SIGKILL') })
})
