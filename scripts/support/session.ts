import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Sandbox, SandboxOptions } from '../../sandbox';
import { build, pack } from '../../testkit/artifacts';
import { Interrupted } from '../../testkit/command';
import { startN8n, type N8nHost, type N8nHostOptions } from '../../testkit/n8n-host/driver';
import { WITH_EDITOR } from '../../testkit/n8n-host/withEditor';
import { ORIGIN } from '../../testkit/publishTrigger';
import { interruption } from './interruption';
import { startWhereFound } from './sandboxServe';

/** A real n8n with the package installed, and the sandbox beside it. */
export interface Session {
	readonly n8n: N8nHost;
	readonly sandbox: Sandbox;
	/** Waits for a piece of work, but not beyond a signal to end. */
	readonly step: <T>(work: Promise<T>) => Promise<T>;
	/** Goes on until a signal asks to end. */
	readonly interrupted: Promise<never>;
}

/** See {@link runSession}. */
export interface SessionOptions {
	n8n?: N8nHostOptions;
	sandbox?: SandboxOptions;
}

const began = Date.now();

/** Prints a line with the seconds since the command was started. */
export function print(text: string): void {
	console.log(`[${String(Math.round((Date.now() - began) / 1000)).padStart(4)} s] ${text}`);
}

/**
 * Builds and packs the package, starts n8n and the sandbox, and ends this process after `use`, with
 * the code that it returns, or at the first signal to end. Both are stopped then, and what was
 * written for them is removed.
 */
export async function runSession(
	options: SessionOptions,
	use: (session: Session) => Promise<number>,
): Promise<void> {
	const interrupted = interruption();
	interrupted.catch(() => undefined);
	let code = 1;
	try {
		code = await withSession(options, interrupted, use);
	} catch (error) {
		if (!(error instanceof Interrupted)) console.error(error);
	}
	// An aborted install may still have work under way.
	process.exit(code);
}

async function withSession(
	options: SessionOptions,
	interrupted: Promise<never>,
	use: (session: Session) => Promise<number>,
): Promise<number> {
	const step = async <T>(work: Promise<T>) => await Promise.race([work, interrupted]);
	const folder = await mkdtemp(join(tmpdir(), 'misar-metigan-start-'));
	let sandbox: Sandbox | undefined;
	let starting: Promise<N8nHost> | undefined;
	try {
		print('Building and packing the package');
		await build();
		const tarball = await pack(folder);
		const { ensureN8nHost } = await import('../../testkit/n8n-host/install.mjs');
		await step(ensureN8nHost({ log: print }));
		print('Starting the sandbox and n8n with the package installed');
		sandbox = await startWhereFound(options.sandbox);
		starting = startN8n({ tarball, webhookUrl: ORIGIN, ...WITH_EDITOR, ...options.n8n });
		const n8n = await step(starting);
		sandbox.setRoute(ORIGIN, n8n.url);
		return await use({ n8n, sandbox, step, interrupted });
	} finally {
		const n8n = await starting?.catch(() => undefined);
		await n8n?.stop();
		await sandbox?.close();
		await rm(folder, { recursive: true, force: true });
	}
}

/** The addresses that a person needs next. */
export function addresses({ n8n, sandbox }: Session): string {
	return `
Editor    ${n8n.url}
Sign in   ${n8n.owner.email} / ${n8n.owner.password}
Sandbox   ${sandbox.pageUrl}
`;
}
