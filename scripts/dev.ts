/**
 * For work on the nodes: `npm run dev` starts n8n and the sandbox, and after each change of a source
 * builds the package again and lets n8n reload it, without a restart. What n8n stores is kept in
 * the folder .dev for the next time.
 *
 * Options: `--port` of n8n, `--sandbox-port`, `--folder` instead of .dev, and `--inspect` with a port
 * for a debugger, e.g. 9229.
 */
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { triggerCases } from '../testkit/triggers';
import { seedWorkflow } from './support/seedWorkflows';
import { runSession, print, addresses, type Session } from './support/session';
import { rebuildOnChange } from './support/sources';

const PACKAGE = 'n8n-nodes-misar-metigan';

const { values } = parseArgs({
	options: {
		port: { type: 'string', default: '5678' },
		'sandbox-port': { type: 'string', default: '5680' },
		folder: { type: 'string', default: '.dev' },
		inspect: { type: 'string' },
	},
});
const { inspect } = values;
const userFolder = resolve(values.folder);
const isNew = !existsSync(userFolder);
const installed = join(userFolder, '.n8n', 'nodes', 'node_modules', PACKAGE);

/**
 * Copies a build into the package that n8n watches, so that n8n loads what changed. Each file is replaced
 * by a rename, because n8n may be reading it at any moment.
 */
async function install(build: string): Promise<void> {
	const copy = join(installed, 'next');
	await cp(build, copy, { recursive: true });
	for (const entry of await readdir(copy, { recursive: true, withFileTypes: true })) {
		if (!entry.isFile()) continue;
		const file = join(entry.parentPath, entry.name);
		const replaced = join(installed, 'dist', relative(copy, file));
		await mkdir(dirname(replaced), { recursive: true });
		await rename(file, replaced);
	}
	await rm(copy, { recursive: true });
}

async function work(session: Session): Promise<number> {
	const { n8n, sandbox, step, interrupted } = session;
	for (const trigger of isNew ? triggerCases : []) {
		print(`${trigger.title}: publishing a workflow`);
		await step(seedWorkflow(trigger, sandbox, n8n));
	}
	const rebuilding = await rebuildOnChange(async (seconds) => {
		if (seconds === undefined) {
			print('The build failed: n8n keeps the package it has');
			return;
		}
		await install('dist');
		print(`Built in ${seconds.toFixed(1)} s, n8n loads the package again`);
	});
	try {
		console.log(`${addresses(session)}${inspect === undefined ? '' : `\nDebugger       127.0.0.1:${inspect}`}
Change a file below nodes/ or credentials/ and n8n has it in some seconds. Publish a workflow again
for changes of its registration. Ctrl-C ends both; ${values.folder} keeps what n8n stored.`);
		return await interrupted;
	} finally {
		await rebuilding.close();
	}
}

// Makes the build write source maps, by which a debugger finds the sources.
if (inspect !== undefined) process.env['SOURCE_MAPS'] = 'true';

void runSession(
	{
		n8n: {
			userFolder,
			port: Number(values.port),
			env: {
				N8N_DEV_RELOAD: 'true',
				...(inspect === undefined ? {} : { NODE_OPTIONS: `--inspect=127.0.0.1:${inspect}` }),
			},
		},
		sandbox: { port: Number(values['sandbox-port']), fixedKeys: true },
	},
	work,
);
