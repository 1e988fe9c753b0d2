import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { lastAnswer, startSandbox, type Sandbox, type Tamper } from '../../sandbox';
import { outputOf, startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { accountOf, ORIGIN, publishTrigger, SECRET } from '../../testkit/publishTrigger';
import { triggerCases, type TriggerCase } from '../../testkit/triggers';

/** The package of each single service, made by the command, installed and run in a real n8n. */

const run = promisify(execFile);

const GATE = [
	'ESLint with n8n’s rules',
	'Formatting',
	'n8n’s package scanner on the source',
	'The packed tarball',
];

interface Single {
	/** What the command is asked for; the package is named after it. */
	readonly name: string;
	readonly trigger: TriggerCase;
	/** All node types of the package. */
	readonly nodes: readonly string[];
}

const manifestSchema = z.object({ n8n: z.object({ nodes: z.array(z.string()) }) });

/** The services that have a package of their own: the manifests in packages/. */
const singles: readonly Single[] = readdirSync('packages', { withFileTypes: true })
	.filter((entry) => entry.isDirectory())
	.map(({ name: folder }) => {
		const text = readFileSync(join('packages', folder, 'package.json'), 'utf8');
		const files = manifestSchema.parse(JSON.parse(text)).n8n.nodes;
		const nodes = files.map((file) => {
			const name = basename(file, '.node.js');
			return `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
		});
		const trigger = triggerCases.find(({ node }) => nodes.includes(node));
		if (trigger === undefined) throw new Error(`testkit/triggers.ts has no trigger of ${folder}`);
		return { name: folder.replace('n8n-nodes-', ''), trigger, nodes };
	});

async function packSingle(...args: string[]): Promise<string> {
	try {
		const command = ['scripts/bootstrap.mjs', 'pack-single', ...args];
		return (await run(process.execPath, command)).stdout;
	} catch (error) {
		const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(error);
		throw new Error(`pack:single ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error });
	}
}

let folder: string;
let sandbox: Sandbox;
let n8n: N8nHost;
const printed = new Map<string, string>();

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'single-packages-'));
	await Promise.all(
		singles.map(async ({ name }) => {
			printed.set(name, await packSingle(name, '--out', folder));
		}),
	);
	const tarballs = (await readdir(folder)).map((file) => join(folder, file));
	sandbox = await startSandbox();
	n8n = await startN8n({ tarball: tarballs, webhookUrl: ORIGIN });
	sandbox.setRoute(ORIGIN, n8n.url);
}, 1_200_000);

afterAll(async () => {
	await n8n?.stop();
	await sandbox?.close();
	await rm(folder, { recursive: true, force: true });
}, 60_000);

describe.each(singles)('n8n-nodes-$name', ({ name, trigger, nodes }) => {
	const packageName = `n8n-nodes-${name}`;

	it('passes the lint gate, and holds its own service alone', async () => {
		const lines = (printed.get(name) ?? '').trimEnd().split('\n');
		for (const check of GATE) expect(lines).toContain(`ok     ${check}`);
		const tarball = lines.at(-1) ?? '';
		expect(tarball).toContain(join(folder, packageName));
		const { stdout } = await run('tar', ['-tzf', tarball]);
		const types = [...stdout.matchAll(/^package\/dist\/nodes\/\w+\/(\w+)\.node\.js$/gm)];
		expect(types.map(([, type]) => type?.toLowerCase()).sort()).toEqual(
			nodes.map((node) => node.toLowerCase()),
		);
		expect(stdout.match(/\.credentials\.js$/gm)).toHaveLength(1);
		const readme = (await run('tar', ['-xzOf', tarball, 'package/README.md'])).stdout;
		expect(readme.startsWith(`# ${packageName}\n`)).toBe(true);
		for (const event of trigger.events) expect(readme).toContain(event);
	});

	it.each(nodes)('offers %s in the editor, with its codex', async (node) => {
		expect(await n8n.nodeType(`${packageName}.${node}`)).toMatchObject({
			name: node,
			codex: { categories: expect.arrayContaining([expect.any(String)]) },
		});
	});

	it('publishes, runs for a signed delivery and refuses forged ones', async () => {
		const automatic = trigger.api !== undefined;
		const registration = automatic ? 'automatic' : 'manual';
		const { workflowId: id, webhookUrl: url } = await publishTrigger(
			{ n8n, sandbox },
			trigger,
			registration,
			accountOf(trigger, registration, sandbox),
			{ packageName },
		);
		const registered = sandbox.endpoints(trigger.provider).map((endpoint) => endpoint.url);
		expect(registered).toEqual(automatic ? [url] : []);

		const fire = async (tamper?: Tamper) => {
			const [delivery] = await sandbox.fire({
				provider: trigger.provider,
				event: trigger.events[0],
				scheme: trigger.scheme,
				...(automatic ? {} : { url, secret: SECRET }),
				...(tamper && { tamper }),
			});
			return lastAnswer(delivery);
		};
		expect(await fire('wrongSecret')).toBe(401);
		expect(await fire('unsigned')).toBe(401);
		expect(await fire()).toBe(200);
		const found = await n8n.waitForExecutions(id, 1);
		expect(found).toMatchObject([{ status: 'success', mode: 'webhook' }]);
		const [output] = outputOf(await n8n.execution(found[0]?.id ?? ''), 'After');
		expect(output).toMatchObject({ event: trigger.events[0], data: expect.anything() });

		await n8n.unpublish(id);
		expect(sandbox.endpoints(trigger.provider)).toEqual([]);
	});
});

it('lists the services when asked for an unknown one', async () => {
	const names = singles.map(({ name }) => name).sort();
	await expect(packSingle('nothing')).rejects.toThrow(names.join('|'));
});
