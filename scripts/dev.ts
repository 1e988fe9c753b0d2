/**
 * To work on the nodes: `npm run dev` starts n8n and the sandbox, and after each change of a source
 * builds the package again and lets n8n load it anew, without a restart. What n8n stores is kept in
 * the folder .dev for the next time.
 *
 * Options: `--port` of n8n, `--sandbox-port`, and `--folder` instead of .dev.
 */
import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { triggerCases } from '../testkit/triggers';
import { demonstrate } from './support/demonstration';
import { PUBLIC_ORIGIN, runSession, say, whereabouts, type Session } from './support/session';
import { rebuildOnChange } from './support/sources';

const PACKAGE = 'n8n-nodes-misar-metigan';

const { values } = parseArgs({
	options: {
		port: { type: 'string', default: '5678' },
		'sandbox-port': { type: 'string', default: '5680' },
		folder: { type: 'string', default: '.dev' },
	},
});
const userFolder = resolve(values.folder);
const isNew = !existsSync(userFolder);
const installed = join(userFolder, '.n8n', 'nodes', 'node_modules', PACKAGE);

async function work(session: Session): Promise<number> {
	const { n8n, sandbox, step, interrupted } = session;
	for (const trigger of isNew ? triggerCases : []) {
		say(`${trigger.title}: publishing a workflow`);
		await step(demonstrate(trigger, sandbox, n8n, PUBLIC_ORIGIN));
	}
	const rebuilding = await rebuildOnChange(async (seconds) => {
		if (seconds === undefined) {
			say('The build failed: n8n keeps the package it has');
			return;
		}
		// n8n watches this folder and loads what changed.
		await cp('dist', join(installed, 'dist'), { recursive: true });
		say(`Built in ${seconds.toFixed(1)} s, n8n loads the package again`);
	});
	try {
		console.log(`${whereabouts(session)}
Change a file below nodes/ or credentials/ and n8n has it in some seconds. Publish a workflow again
for changes of its registration. Ctrl-C ends both; ${values.folder} keeps what n8n stored.`);
		return await interrupted;
	} finally {
		await rebuilding.close();
	}
}

void runSession(
	{
		n8n: { userFolder, port: Number(values.port), env: { N8N_DEV_RELOAD: 'true' } },
		sandbox: { port: Number(values['sandbox-port']), fixedKeys: true },
	},
	work,
);
