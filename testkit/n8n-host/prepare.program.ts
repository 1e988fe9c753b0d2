/**
 * Makes the user folder that `startN8n` copies for each n8n with this package: starts the pinned n8n
 * once. `node --import tsx prepare.program.ts <tarball>`, before the tests that use it.
 */
import { rm } from 'node:fs/promises';
import { startN8n } from './driver';
import { locateN8n } from './locate';
import { logFileIn } from './n8nProcess';
import { preparedFolder } from './prepared';

async function prepare(tarball: string): Promise<void> {
	const { version } = await locateN8n();
	const userFolder = preparedFolder({ tarball, version });
	const n8n = await startN8n({ tarball, userFolder });
	await n8n.stop();
	// Each copy has its own log.
	await rm(logFileIn(userFolder));
}

void prepare(process.argv[2] ?? '').catch((error: unknown) => {
	console.error(error);
	process.exitCode = 1;
});
