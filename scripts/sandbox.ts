/**
 * The sandbox from a terminal: `npm run sandbox` starts it alone, for an n8n that is already there, and
 * `npm run sandbox -- fire metigan email.bounced` and other commands act on one that runs.
 */
import { Interrupted } from '../testkit/command';
import { runSandboxCommand } from './support/sandboxProgram';
import { instructions, serve } from './support/sandboxServe';
import { interruption } from './support/interruption';

async function interrupted(): Promise<void> {
	await interruption().catch((error: unknown) => {
		if (!(error instanceof Interrupted)) throw error;
	});
}

void runSandboxCommand(process.argv.slice(2), {
	out: (line) => console.log(line),
	err: (line) => console.error(line),
	serve: async (options) => {
		const ended = interrupted();
		const sandbox = await serve(options);
		console.log(`${instructions(sandbox)}\n\nCtrl-C ends it.`);
		await ended;
		await sandbox.close();
	},
	interrupted,
}).then((code) => {
	process.exitCode = code;
});
