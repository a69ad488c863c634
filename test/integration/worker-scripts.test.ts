import { expect, test } from 'vitest'
import { imageOf } from '../support/images.ts'
import { type Output, run } from '../support/run.ts'

/** In a worker's image, with its own scripts: what a person cannot time. */
async function inWorker(script: string): Promise<Output> {
  const all = `for part in process start end; do . /usr/lib/hal9000/$part.sh; done
    mkfifo /tmp/control /tmp/go && exec 6<>/tmp/control 7<>/tmp/go
    mode=session stopping='' passed_on='' heard='' ended='' server=$$ pid=$$
    read_stat $$ && started=\${stat[19]}
    ${script}`
  return await run('docker', ['run', '--rm', '--entrypoint', 'bash', imageOf('worker'), '-c', all])
}

test('a stop that comes when a look at the command is about to be over is acted on, and ends nobody else', async () => {
  // What is done about it goes on when the time of the look is up, and reads then.
  const script = `stop_command() { passed_on=yes; sleep 2; mapfile -t lines </proc/self/status; echo "dead - 15" >&6; }
    trap 'stopping=TERM; heed_signal' TERM
    (sleep 0.5; kill -TERM $$) &
    await_pane; echo "$ended"`
  expect(await inWorker(script)).toMatchObject({ code: 0, stdout: '- 15\n' })
})

test('no end is lost to a look that is over just as it is read', async () => {
  // As it is left when the time is up after the last byte was read.
  expect(await inWorker(`heard='dead 7 -'; await_pane; echo "$ended"`)).toMatchObject({ code: 0, stdout: '7 -\n' })
  const script = `(for i in {1..3000}; do echo 'dead 7 -' >&6; read -r _ <&7; done) &
    for ((i = 0; i < 3000; )); do if hear 0.001; then i=$((i + 1)); echo >&7; fi; done; echo $i`
  expect(await inWorker(script)).toMatchObject({ code: 0, stdout: '3000\n' })
})
