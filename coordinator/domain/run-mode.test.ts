import { expect, test } from 'vitest'
import { runMode } from './run-mode.ts'

/** Flag, marker → mode. */
test.each([
  [undefined, undefined, 'foreground', 'neither a flag nor AGENTIC_IN_CONTAINER says otherwise'],
  [undefined, '', 'foreground', 'neither a flag nor AGENTIC_IN_CONTAINER says otherwise'],
  [undefined, '0', 'foreground', 'neither a flag nor AGENTIC_IN_CONTAINER says otherwise'],
  [undefined, 'false', 'foreground', 'neither a flag nor AGENTIC_IN_CONTAINER says otherwise'],
  [undefined, '1', 'detached', 'AGENTIC_IN_CONTAINER is set'],
  [undefined, 'true', 'detached', 'AGENTIC_IN_CONTAINER is set'],
  ['foreground', '1', 'foreground', '--foreground was given'],
  ['foreground', undefined, 'foreground', '--foreground was given'],
  ['detached', undefined, 'detached', '--detach was given'],
  ['detached', '0', 'detached', '--detach was given'],
] as const)('flag %s and marker %j: %s, because %s', (flag, marker, mode, because) => {
  expect(runMode(flag, marker)).toEqual({ mode, because })
})
