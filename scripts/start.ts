/**
 * The whole package at work in one command: `npm start` builds and packs the package, installs it in a real n8n,
 * publishes one workflow per trigger against the sandbox, fires a signed event at each and prints
 * what happened. n8n and the sandbox then keep running until Ctrl-C; `npm start -- --once` ends
 * after the table, with code 0 only if every step succeeded.
 */
import { asTable } from '../testkit/table';
import { triggerCases } from '../testkit/triggers';
import { RETRY_SCALE } from './support/sandboxServe';
import { seedWorkflow, type SeededWorkflow } from './support/seedWorkflows';
import { runSession, print, addresses, type Session } from './support/session';

/** @returns the exit code */
async function show(session: Session, once: boolean): Promise<number> {
	const { n8n, sandbox, step, interrupted } = session;
	const rows: SeededWorkflow[] = [];
	for (const trigger of triggerCases) {
		print(`${trigger.title}: publishing a workflow and firing ${trigger.events[0]}`);
		rows.push(await step(seedWorkflow(trigger, sandbox, n8n)));
	}
	console.log(`\n${tableOf(rows)}\n`);
	const held = rows.every(({ held: rowHeld }) => rowHeld);
	console.log(held ? 'Every step held.' : 'Not every step held, see the table.');
	if (once) return held ? 0 : 1;

	console.log(`${addresses(session)}\nCtrl-C ends both and removes what they wrote.`);
	return await interrupted;
}

function tableOf(rows: readonly SeededWorkflow[]): string {
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

void runSession(
	{ sandbox: { retryTimeScale: RETRY_SCALE } },
	async (session) => await show(session, process.argv.includes('--once')),
);
