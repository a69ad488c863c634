import { expect, test } from 'vitest'
import { finish } from './finish.ts'
import { aContext, aStarted } from './testing.ts'

test('a container is removed only when its end is on disk, whoever comes to finish it', async () => {
  await using context = await aContext()
  const { engine, records } = context
  const id = await aStarted(context, 'w1', { command: ['exit', '3'] })
  const [container] = await context.roster.containers()
  if (container === undefined) throw new Error('there is no container')
  const disk = Promise.withResolvers<void>()
  const put = records.put.bind(records)
  records.put = async (record) => {
    await put(record)
    if (record.end !== null) await disk.promise
  }
  const first = finish(container, context)
  await expect.poll(() => records.get(container.request)?.end).toMatchObject({ exitCode: 3 })
  const second = finish(container, context)
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await engine.find(id)).toBeDefined()
  disk.resolve()
  expect((await Promise.all([first, second])).map((record) => record?.end?.exitCode)).toEqual([3, 3])
  expect(await engine.find(id)).toBeUndefined()
})
