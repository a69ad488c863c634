import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { LEAVING_HEADER } from '../../../coordinator/contract/control.ts'
import { encodeFrame } from '../../../coordinator/contract/frames.ts'
import { coordinator } from '../testing/coordinator-command.ts'
import { json, worker } from '../testing/test-coordinator.ts'

const frame = (text: string): Buffer => encodeFrame({ output: 'stdout', data: Buffer.from(text) })

/** `coordinator logs …` of a worker whose log is answered by one after the other. */
async function logs(argv: readonly string[], answers: ((response: ServerResponse) => void)[]) {
  const said = await coordinator(['logs', 'w1', ...argv], (one, response) => {
    if (one.path.endsWith('/logs')) answers.shift()?.(response)
    else json(response, { worker: worker(), exit: null })
  })
  const asked = said.seen.filter(({ path }) => path.endsWith('/logs')).map(({ query }) => Object.fromEntries(query))
  return { ...said, asked }
}

const leaves = (text: string, place: string) => (response: ServerResponse) => {
  response.writeHead(200, { trailer: LEAVING_HEADER })
  response.write(frame(text))
  response.addTrailers({ [LEAVING_HEADER]: place })
  response.end()
}
const breaks = (text: string) => (response: ServerResponse) => {
  response.write(frame(text))
  setTimeout(() => response.destroy(), 10)
}
const ends = (text: string) => (response: ServerResponse) => void response.end(frame(text))

test('a coordinator that leaves says where to go on, also of a log that began with its last lines', async () => {
  const { code, out, asked } = await logs(
    ['-f', '--tail', '1'],
    [leaves('a\n', 'here'), leaves('b\n', 'there'), ends('c\n')],
  )
  expect([code, out]).toEqual([0, 'a\nb\nc\n'])
  expect(asked).toMatchObject([{ tail: '1' }, { after: 'here' }, { after: 'there' }])
  expect(asked[2]).not.toHaveProperty('tail')
})

test('from there a log that breaks off is read again, and nothing of it is repeated', async () => {
  const { code, out, asked } = await logs(['-f'], [leaves('a\n', 'here'), breaks('b\n'), ends('b\nc\n')])
  expect([code, out]).toEqual([0, 'a\nb\nc\n'])
  expect(asked).toMatchObject([{}, { after: 'here' }, { after: 'here' }])
})

test('one that began at a time is read again when it breaks off; one that began with its last lines cannot be', async () => {
  const since = await logs(['-f', '--since', '2030-01-01T00:00:00Z'], [breaks('a\n'), ends('a\nb\n')])
  expect([since.code, since.out]).toEqual([0, 'a\nb\n'])
  const tail = await logs(['-f', '--tail', '1'], [breaks('a\n')])
  expect([tail.code, tail.out]).toEqual([4, 'a\n'])
  expect(tail.err).toContain('The log broke off: the coordinator went away.')
})
