import { expect, test } from 'vitest'
import { coordinator } from '../testing/coordinator-command.ts'
import { json, refuse, worker, type Answer } from '../testing/test-coordinator.ts'

const request = {
  position: 1,
  request: 'r-request-1',
  name: 'w1',
  project: '/proj',
  state: 'queued',
  queuedAt: '2030-01-01T00:00:00Z',
  waitUntil: '2030-01-01T00:01:00Z',
  because: 'the memory budget is used up (HAL9000_MEMORY_BUDGET)',
}

test('queue is a table, or one object', async () => {
  const answer: Answer = (_, response) => json(response, { requests: [request] })
  const { code, out, seen } = await coordinator(['queue'], answer)
  expect([code, seen.map(({ path }) => path)]).toEqual([0, ['/v1/queue']])
  expect(out).toMatch(/^POS .*\n1 {4}r-request-1 {2}w1 .*HAL9000_MEMORY_BUDGET\)\n$/)
  const object = await coordinator(['queue', '--json'], answer)
  expect(JSON.parse(object.out)).toEqual({ schemaVersion: 1, requests: [request] })
})

const cancelling: Answer = (seen, response) => {
  const ref = seen.path.split('/')[3] ?? ''
  if (ref === 'late') {
    const message = 'The request for worker "late" waits no more: it is running.'
    refuse(response, 409, { code: 'wrong-state', exitCode: 9, message, hint: 'coordinator stop late' })
  } else json(response, { worker: worker({ name: ref, state: 'ended', reason: 'cancelled', id: '' }), notices: [] })
}

test('queue cancel reports every request and exits with the first failure', async () => {
  const { code, out, err, seen } = await coordinator(['queue', 'cancel', 'w1', 'late', 'w2', 'w1'], cancelling)
  expect([code, out]).toEqual([9, 'w1\nw2\n'])
  expect(err).toBe('The request for worker "late" waits no more: it is running.\nNext: coordinator stop late\n')
  expect(seen.map(({ method, path }) => `${method} ${path}`)).toEqual(
    ['w1', 'late', 'w2'].map((ref) => `POST /v1/queue/${ref}/cancel`),
  )
})

test('queue cancel --json', async () => {
  const { code, out } = await coordinator(['queue', 'cancel', 'w1', 'late', '--json'], cancelling)
  expect(code).toBe(9)
  expect(JSON.parse(out)).toMatchObject({
    cancelled: [{ worker: { name: 'w1', state: 'ended', reason: 'cancelled' }, notices: [] }],
    failed: [{ name: 'late', error: { code: 'wrong-state' } }],
    error: { code: 'wrong-state', hint: 'coordinator stop late' },
  })
})

test.each([
  ['queue cancel', "Missing required argument 'id'.", 'coordinator queue --help'],
  ['queue w1', 'w1', 'coordinator queue --help'],
])('%s is usage', async (line, says, next) => {
  const { code, err, seen } = await coordinator(line.split(' '), cancelling)
  expect([code, seen]).toEqual([2, []])
  expect(err).toContain(says)
  expect(err).toContain(`\nNext: ${next}\n`)
})
