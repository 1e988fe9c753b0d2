import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startN8n } from '../testkit/n8n-host/driver';
import { residentMegabytes } from './support/memory';
import { shuffled } from './support/shuffled';

/** What a start takes in time and resident memory. */
export interface Cost {
	readonly milliseconds: number;
	readonly megabytes: number;
}

export const INSTALLATIONS = ['without the package', 'with the package'] as const;
export type Installation = (typeof INSTALLATIONS)[number];

/** n8n's start until the owner has signed in, on an existing database, with the package and without it. */
export async function benchStart(
	tarball: string,
	rounds: number,
): Promise<Record<Installation, Cost[]>> {
	const root = await mkdtemp(join(tmpdir(), 'bench-start-'));
	const starts: Record<Installation, Cost[]> = {
		'without the package': [],
		'with the package': [],
	};
	const folderOf = (installation: Installation) =>
		join(root, String(INSTALLATIONS.indexOf(installation)));
	try {
		for (const installation of INSTALLATIONS) {
			// The first start makes the database, and is not counted.
			await measureStart(
				folderOf(installation),
				installation === 'with the package' ? tarball : undefined,
			);
		}
		for (let round = 0; round < rounds; round++) {
			for (const installation of shuffled(INSTALLATIONS)) {
				starts[installation].push(await measureStart(folderOf(installation)));
			}
		}
	} finally {
		await rm(root, { recursive: true, force: true });
	}
	return starts;
}

async function measureStart(userFolder: string, tarball?: string): Promise<Cost> {
	const started = performance.now();
	const n8n = await startN8n({
		userFolder,
		editor: true,
		...(tarball === undefined ? {} : { tarball }),
	});
	const milliseconds = performance.now() - started;
	const megabytes = await residentMegabytes(n8n.pid);
	await n8n.stop();
	return { milliseconds, megabytes };
}
