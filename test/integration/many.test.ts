import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Instance, OWNER } from '../support/instance.ts'
import { succeed } from '../support/run.ts'

const COUNT = 10

let instance: Instance

beforeAll(async () => {
  instance = await Instance.up()
})
afterAll(() => instance.down())

test('ten workers at once on ten projects: listed, followed, stopped, and nothing is left', async () => {
  const before = await world()
  const projects = await Promise.all(Array.from({ length: COUNT }, (_, index) => repository(`project-${index}`)))
  const work = 'git log --format=%s; sort data >sorted; echo sorted; echo $$ >pid; exec sleep 100'
  const spawned = await Promise.all(
    projects.map((project, index) => instance.spawn(['-n', `w${index}`, project, '--', 'sh', '-c', work])),
  )
  const listed = await instance.list()
  expect(listed.map(({ name, state }) => `${name} ${state}`).sort()).toEqual(
    projects.map((_, index) => `w${index} running`),
  )
  expect(new Set(listed.map(({ id }) => id))).toEqual(new Set(spawned.map(({ worker }) => worker.id)))

  const followers = projects.map((_, index) => instance.exec(['coordinator', 'logs', '-f', `w${index}`]))
  const stopped = await instance.exec(['coordinator', 'stop', ...projects.map((_, index) => `w${index}`)])
  expect(stopped.stdout.split('\n').sort()).toEqual(['', ...projects.map((_, index) => `w${index}`)])
  for (const [index, follower] of (await Promise.all(followers)).entries()) {
    expect(follower).toMatchObject({ code: 0, stdout: `commit of project-${index}\nsorted\n` })
  }
  expect(await instance.list()).toEqual([])
  expect(await readFile(join(projects[3] ?? '', 'sorted'), 'utf8')).toBe('1\n2\n3\n')
  expect(await world()).toEqual(before)
})

/** What the engine holds that could be left behind. Other deployments of this machine come and go meanwhile. */
async function world(): Promise<Record<string, string[]>> {
  const own = (text: string): string[] =>
    text
      .split('\n')
      .filter((line) => line.includes(instance.name))
      .sort()
  return {
    containers: await instance.containers(),
    byName: own(await succeed('docker', ['ps', '-a', '--format', '{{.Names}}'])),
    networks: own(await succeed('docker', ['network', 'ls', '--format', '{{.Name}}'])),
    volumes: own(await succeed('docker', ['volume', 'ls', '--format', '{{.Name}}'])),
  }
}

/** A real repository, as a person would have it. */
async function repository(name: string): Promise<string> {
  const project = await instance.project(name)
  await writeFile(join(project, 'data'), '3\n1\n2\n')
  const git = `git init -q . && git add data && git -c user.name=t -c user.email=t@example.com commit -qm 'commit of ${name}'`
  await succeed('sh', ['-c', `chown root . && ${git} && chown -R ${OWNER}:${OWNER} .`], { cwd: project })
  return project
}
