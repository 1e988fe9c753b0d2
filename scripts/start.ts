/**
 * The main job in one command: `npm start` builds and packs the package, installs it in a real n8n,
 * publishes one workflow per trigger against the sandbox, fires a signed event at each and prints
 * what happened. n8n and the sandbox then keep running until Ctrl-C; `npm start -- --once` ends
 * after the table, with code 0 only if every step held.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startSandbox, type Sandbox } from '../sandbox';
import { startN8n, type N8nHost } from '../testkit/n8n-host/driver';
import { triggerCases } from '../testkit/triggers';
import { build, pack } from '../testkit/artifacts';
import { Interrupted } from '../testkit/command';
import { demonstrate, type Demonstration } from './support/demonstration';
import { asTable } from '../testkit/table';

/** Looks public, because providers deliver to public HTTPS addresses only; routed to this machine. */
const PUBLIC_ORIGIN = 'https://n8n.example.com';

const began = Date.now();

function say(text: string): void {
	console.log(`[${String(Math.round((Date.now() - began) / 1000)).padStart(4)} s] ${text}`);
}

/**
 * @param interrupted - rejects when a signal asks to end; every step is given up then
 * @returns the exit code
 */
async function run(once: boolean, interrupted: Promise<never>): Promise<number> {
	const step = async <T>(work: Promise<T>) => await Promise.race([work, interrupted]);
	const folder = await mkdtemp(join(tmpdir(), 'misar-metigan-start-'));
	let sandbox: Sandbox | undefined;
	let starting: Promise<N8nHost> | undefined;
	try {
		say('Building and packing the package');
		await build();
		const tarball = await pack(folder);
		const { ensureN8nHost } = await import('../testkit/n8n-host/install.mjs');
		await step(ensureN8nHost({ log: say }));
		say('Starting the sandbox and n8n with the package installed');
		sandbox = await startSandbox();
		starting = startN8n({ tarball, webhookUrl: PUBLIC_ORIGIN });
		const n8n = await step(starting);
		sandbox.setRoute(PUBLIC_ORIGIN, n8n.url);

		const rows: Demonstration[] = [];
		for (const trigger of triggerCases) {
			say(`${trigger.title}: publishing a workflow and firing ${trigger.events[0]}`);
			rows.push(await step(demonstrate(trigger, sandbox, n8n, PUBLIC_ORIGIN)));
		}
		console.log(`\n${tableOf(rows)}\n`);
		const held = rows.every(({ held: rowHeld }) => rowHeld);
		console.log(held ? 'Every step held.' : 'Not every step held, see the table.');
		if (once) return held ? 0 : 1;

		console.log(`
Editor    ${n8n.url}
Sign in   ${n8n.owner.email} / ${n8n.owner.password}
Sandbox   ${sandbox.url} (control API under /_control)

Ctrl-C ends both and removes what they wrote.`);
		return await interrupted;
	} finally {
		const n8n = await starting?.catch(() => undefined);
		await n8n?.stop();
		await sandbox?.close();
		await rm(folder, { recursive: true, force: true });
	}
}

/** Rejects at the first signal to end. */
function interruption(): Promise<never> {
	return new Promise((_resolve, reject) => {
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
			process.once(signal, () => reject(new Interrupted(signal)));
		}
	});
}

function tableOf(rows: readonly Demonstration[]): string {
	const header = [
		'trigger',
		'registration',
		'endpoint at the provider',
		'event',
		'answer',
		'run',
		'status',
		'held',
	];
	return asTable([
		header,
		...rows.map((row) => [
			row.trigger,
			row.registration,
			row.endpoint,
			row.event,
			row.answer,
			row.runId,
			row.runStatus,
			row.held ? 'yes' : 'NO',
		]),
	]);
}

async function main(): Promise<void> {
	const interrupted = interruption();
	interrupted.catch(() => undefined);
	let code = 1;
	try {
		code = await run(process.argv.includes('--once'), interrupted);
	} catch (error) {
		if (!(error instanceof Interrupted)) console.error(error);
	}
	// An install that was given up may still have work under way.
	process.exit(code);
}

void main();
