import { fork } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { z } from 'zod';

import { run } from '../../testkit/command';
import { installCommunityPackage } from '../../testkit/n8n-host/community';
import { locateN8n } from '../../testkit/n8n-host/locate';
import type { HostPlace } from './hostModules';

/** What is run for a measurement under the pinned n8n's Node. */
export interface HostedRun<S extends z.ZodTypeAny> {
	/** A program of `bench` that gets its input as the first argument and answers by IPC. */
	readonly program: string;
	readonly input: object;
	/** The form of its answer. */
	readonly answer: S;
}

/** The pinned n8n with the package installed. */
export interface Host {
	readonly place: HostPlace;
	readonly n8nVersion: string;
	readonly nodeVersion: string;
}

/** Installs the packed package as n8n does, calls `work`, and removes it again. */
export async function withHost<T>(tarball: string, work: (host: Host) => Promise<T>): Promise<T> {
	const { dir, version, nodeBinary } = await locateN8n();
	const folder = await mkdtemp(join(tmpdir(), 'bench-'));
	try {
		const name = await installCommunityPackage(folder, tarball);
		const packageDir = join(folder, '.n8n', 'nodes', 'node_modules', name);
		const { output } = await run(nodeBinary, ['--version'], { capture: true });
		return await work({
			place: { n8nDir: dir, packageDir },
			n8nVersion: version,
			nodeVersion: output.trim(),
		});
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** @throws Error when the program ends without an answer; why is on standard error */
export async function runUnderHost<S extends z.ZodTypeAny>(
	place: HostPlace,
	{ program, input, answer }: HostedRun<S>,
): Promise<z.output<S>> {
	const { nodeBinary } = await locateN8n();
	const child = fork(join(__dirname, '..', program), [JSON.stringify({ ...input, place })], {
		execPath: nodeBinary,
		execArgv: ['--import', 'tsx', '--expose-gc', '--no-warnings'],
		env: {
			...process.env,
			NODE_PATH: join(place.n8nDir, 'node_modules'),
			N8N_USER_FOLDER: join(place.packageDir, '..', '..', '..', '..'),
			N8N_LOG_LEVEL: 'silent',
		},
	});
	return await new Promise((resolve, reject) => {
		let received: unknown;
		child.on('message', (message) => {
			received = message;
		});
		child.once('error', reject);
		child.once('exit', (code) => {
			const parsed = answer.safeParse(received);
			if (code === 0 && parsed.success) resolve(parsed.data);
			else reject(new Error(`${program} ended with code ${code} and no result`));
		});
	});
}
