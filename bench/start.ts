import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

import packageJson from '../package.json';
import { startN8n } from '../testkit/n8n-host/driver';
import type { HostPlace } from './support/hostModules';
import { shuffled } from './support/interleave';
import { residentMegabytes } from './support/memory';
import { runUnderHost } from './support/underHost';

export const startInput = z.object({
	place: z.object({ n8nDir: z.string(), packageDir: z.string() }),
	/** Compiled files of the nodes, below `dist`. */
	nodeFiles: z.array(z.string()),
});

const costSchema = z.object({ milliseconds: z.number(), megabytes: z.number() });

/** What something takes in time and resident memory. */
export type Cost = z.output<typeof costSchema>;

export const INSTALLATIONS = ['without the package', 'with the package'] as const;
export type Installation = (typeof INSTALLATIONS)[number];

export interface StartResult {
	/** Loading all nodes and credentials at once, in a fresh process each time. */
	readonly loads: Cost[];
	/** n8n's start until it is ready and signed in to, on an existing database. */
	readonly starts: Record<Installation, Cost[]>;
}

/** What loading the package costs, and what n8n's start costs with it and without it. */
export async function benchStart(
	place: HostPlace,
	tarball: string,
	rounds: number,
): Promise<StartResult> {
	const loads: Cost[] = [];
	const nodeFiles = packageJson.n8n.nodes.map((file) => file.replace(/^dist\//, ''));
	for (let round = 0; round < rounds; round++) {
		const program = 'start.program.ts';
		loads.push(await runUnderHost(place, { program, input: { nodeFiles }, answer: costSchema }));
	}
	return { loads, starts: await benchN8nStart(tarball, rounds) };
}

async function benchN8nStart(
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
