import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { lastAnswer, type Sandbox, type Tamper } from '../../sandbox';
import { pack } from '../../testkit/artifacts';
import { outputOf, type N8nHost } from '../../testkit/n8n-host/driver';
import { accountOf, publishTrigger, SECRET } from '../../testkit/publishTrigger';
import { triggerCases, type TriggerCase } from '../../testkit/triggers';
import { ALL_PACKAGES } from '../nightly';
import { startBed } from '../useN8n';

/**
 * The repository of each single service, made by the command and put through what a reviewer at n8n does:
 * install, lint, build, scan, and run the package in a real n8n.
 */

const run = promisify(execFile);

interface Single {
	/** What the command is asked for; the package is named after it. */
	readonly name: string;
	readonly trigger: TriggerCase;
	/** All node types of the package. */
	readonly nodes: readonly string[];
}

const listSchema = z.object({ files: z.array(z.string()) });
const lockSchema = z.object({
	packages: z.record(z.string(), z.object({ version: z.string().optional() })),
});
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

/** By day one, with what is installed here: they have most of their code in common, and the lint gate sees the rest. */
const reviewed = ALL_PACKAGES ? singles : singles.filter(({ name }) => name === 'misar');

/** The versions by the folder that each package is installed in. */
function lockedIn(repository: string): Record<string, string> {
	const text = readFileSync(join(repository, 'package-lock.json'), 'utf8');
	const { packages } = lockSchema.parse(JSON.parse(text));
	return Object.fromEntries(
		Object.entries(packages)
			.filter(([place]) => place !== '')
			.map(([place, { version }]) => [place, version ?? '']),
	);
}

/** @returns what the command printed, which the error has as well where it failed */
async function command(cwd: string, program: string, ...args: string[]): Promise<string> {
	try {
		// n8n's rules about files and errors look elsewhere in its own tests, which they tell by NODE_ENV.
		const env = { ...process.env, NODE_ENV: undefined };
		return (await run(program, args, { cwd, env, maxBuffer: 2 ** 24 })).stdout;
	} catch (error) {
		const { stdout, stderr } = z.object({ stdout: z.string(), stderr: z.string() }).parse(error);
		throw new Error(`${program} ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error });
	}
}

async function packSingle(...args: string[]): Promise<string> {
	return await command('.', process.execPath, 'scripts/bootstrap.mjs', 'pack-single', ...args);
}

let folder: string;
let sandbox: Sandbox;
let n8n: N8nHost;
let stop: (() => Promise<void>) | undefined;
const repositoryOf = (name: string) => join(folder, name);
const tarballs = new Map<string, string>();

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'single-packages-'));
	const repositories = singles.map(({ name }) => repositoryOf(name));
	await Promise.all(
		singles.map(({ name }) => packSingle(name, '--repository', repositoryOf(name))),
	);
	// They have the same lock file, but for the name.
	const [first = '', ...others] = repositories;
	if (ALL_PACKAGES) {
		await command(first, 'npm', 'ci', '--loglevel=error');
	} else {
		expect(lockedIn(resolve('.'))).toMatchObject(lockedIn(first));
		await symlink(resolve('node_modules'), join(first, 'node_modules'));
	}
	for (const other of others) {
		await symlink(join(first, 'node_modules'), join(other, 'node_modules'));
	}
	for (const { name } of singles) {
		await command(repositoryOf(name), 'npm', 'run', 'build');
		tarballs.set(name, await pack(folder, repositoryOf(name)));
	}
	({ n8n, sandbox, stop } = await startBed({ tarball: [...tarballs.values()] }));
}, 1_800_000);

afterAll(async () => {
	await stop?.();
	await rm(folder, { recursive: true, force: true });
}, 60_000);

describe.each(reviewed)('A review of n8n-nodes-$name', ({ name }) => {
	it('passes `n8n-node lint` in strict mode', async () => {
		const printed = await command(repositoryOf(name), 'npm', 'run', 'lint');
		expect(printed).not.toMatch(/warning|violation/i);
	}, 300_000);

	it('passes n8n’s scanner, on the source and on the tarball', async () => {
		const gate = resolve('scripts/lint.mjs');
		const printed = await command(repositoryOf(name), process.execPath, gate, 'scanner', 'tarball');
		expect(printed.match(/^ok .*/gm)).toEqual([
			'ok     n8n’s package scanner on the source',
			'ok     The packed tarball',
		]);
	}, 300_000);
});

describe.each(singles)('n8n-nodes-$name', ({ name, trigger, nodes }) => {
	const packageName = `n8n-nodes-${name}`;

	it('is pinned to a lock file that names no registry', async () => {
		const lock = await readFile(join(repositoryOf(name), 'package-lock.json'), 'utf8');
		expect(JSON.parse(lock)).toMatchObject({ name: packageName, lockfileVersion: 3 });
		expect(lock).not.toContain('"resolved"');
	});

	it('contains its own service only, with what n8n reads beside the code', async () => {
		const read = async (file: string) =>
			(await run('tar', ['-xzOf', tarballs.get(name) ?? '', `package/${file}`])).stdout;
		const { stdout } = await run('tar', ['-tzf', tarballs.get(name) ?? '']);
		const files = stdout.split('\n').map((file) => file.replace('package/', ''));
		const types = files.flatMap((file) => /(\w+)\.node\.js$/.exec(file)?.[1] ?? []);
		expect(types.map((type) => type.toLowerCase()).sort()).toEqual(
			nodes.map((node) => node.toLowerCase()),
		);
		expect(files.filter((file) => file.endsWith('.credentials.js'))).toHaveLength(1);
		expect(files.filter((file) => file.includes('__schema__')).length).toBeGreaterThan(3);
		for (const codex of files.filter((file) => file.endsWith('.node.json'))) {
			expect(JSON.parse(await read(codex))).toMatchObject({
				node: expect.stringContaining(`${packageName}.`),
				alias: expect.arrayContaining([trigger.title.toLowerCase(), 'hmac signature']),
			});
		}
		const readme = await read('README.md');
		expect(readme.startsWith(`# ${packageName}\n`)).toBe(true);
		for (const event of trigger.events) expect(readme).toContain(event);
		const [, example = ''] = /```json\n([^]*?)```/.exec(readme) ?? [];
		expect(JSON.parse(example)).toMatchObject({
			nodes: [
				{
					type: `${packageName}.${trigger.node}`,
					parameters: { events: [expect.stringMatching(/^[a-z.]+$/)] },
				},
				{ name: 'Your Next Step' },
			],
		});
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

describe('the command pack:single', () => {
	it('writes a repository again, without files that it no longer writes', async () => {
		const repository = repositoryOf('misar-blog');
		await command(repository, 'git', 'init', '--quiet');
		await command(repository, 'git', 'add', '--all');
		const list = join(repository, '.generated.json');
		const { files } = listSchema.parse(JSON.parse(await readFile(list, 'utf8')));
		await writeFile(join(repository, 'nodes', 'old.ts'), '');
		await writeFile(list, JSON.stringify({ files: [...files, 'nodes/old.ts'] }));

		await packSingle('misar-blog', '--repository', repository);
		const status = await command(repository, 'git', 'status', '--porcelain');
		expect(status).toContain('A  package.json\n');
		expect(status).toMatch(/^(A {2}.*\n)+$/);
	}, 300_000);

	it('packs the same as the repository holds', async () => {
		const printed = await packSingle('misar-blog', '--out', join(folder, 'out'));
		const lines = printed.trimEnd().split('\n');
		expect(lines).toContain('ok     ESLint with n8n’s rules');
		expect(lines).toContain('ok     Formatting');
		const packed = await readFile(lines.at(-1) ?? '');
		expect(packed.equals(await readFile(tarballs.get('misar-blog') ?? ''))).toBe(true);
	}, 600_000);

	it('lists the services if asked for an unknown one', async () => {
		const names = singles.map(({ name }) => name).sort();
		await expect(packSingle('nothing')).rejects.toThrow(names.join('|'));
	});

	it('does not touch a folder that holds anything else', async () => {
		const used = await mkdtemp(join(folder, 'used-'));
		await writeFile(join(used, 'notes.md'), 'mine');
		await expect(packSingle('metigan', '--repository', used)).rejects.toThrow(
			'holds notes.md, which this command did not write',
		);
		expect(readdirSync(used)).toEqual(['notes.md']);
	});
});
