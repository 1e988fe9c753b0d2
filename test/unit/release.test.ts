import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';

/** What a release rests on: the workflows, and the packages of single services. */

const ROOT = path.join(__dirname, '..', '..');
const PACKAGES = path.join(ROOT, 'packages');

const manifestSchema = z
	.object({
		name: z.string(),
		version: z.string(),
		keywords: z.array(z.string()),
		repository: z.object({ url: z.string(), directory: z.string().optional() }),
		files: z.array(z.string()),
		scripts: z.record(z.string()).default({}),
		dependencies: z.undefined(),
		n8n: z.object({ nodes: z.array(z.string()), credentials: z.array(z.string()) }).passthrough(),
	})
	.passthrough();

const manifestIn = (folder: string) =>
	manifestSchema.parse(JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')));

const root = manifestIn(ROOT);
const singleFolders = readdirSync(PACKAGES, { withFileTypes: true })
	.filter((entry) => entry.isDirectory())
	.map(({ name }) => name)
	.sort();
const singles = singleFolders.map((name) => manifestIn(path.join(PACKAGES, name)));

function checkTag(tag: string) {
	return spawnSync(process.execPath, ['scripts/check-tag.mjs', tag], {
		cwd: ROOT,
		encoding: 'utf8',
	});
}

describe('the packages of single services', () => {
	it('share out every node and credential, each to one of them', () => {
		expect(singles.flatMap(({ n8n }) => n8n.nodes).sort()).toEqual([...root.n8n.nodes].sort());
		expect(singles.flatMap(({ n8n }) => n8n.credentials).sort()).toEqual(
			[...root.n8n.credentials].sort(),
		);
	});

	it.each(singles.map((single, at) => [singleFolders[at] ?? '', single] as const))(
		'%s is one provider, and otherwise what the whole package is',
		(folder, single) => {
			expect(single.name).toBe(folder);
			expect(new Set(single.n8n.nodes.map((file) => path.dirname(file))).size).toBe(1);
			expect(single.n8n.credentials).toHaveLength(1);
			for (const file of [...single.n8n.nodes, ...single.n8n.credentials]) {
				const source = file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
				expect([source, existsSync(path.join(ROOT, source))]).toEqual([source, true]);
			}
			// n8n compares the repository; its scanner finds the sources by the package's name in it.
			expect(single.repository).toEqual({ ...root.repository, directory: `packages/${folder}` });
			const common = ['version', 'license', 'author', 'bugs', 'engines', 'files', 'homepage'];
			for (const key of [...common, 'peerDependencies']) expect(single[key]).toEqual(root[key]);
			expect(single.keywords).toContain('n8n-community-node-package');
		},
	);
});

const stepSchema = z.object({
	uses: z.string().optional(),
	run: z.string().optional(),
	if: z.string().optional(),
	with: z.record(z.unknown()).optional(),
});
const workflowSchema = z.object({
	on: z.record(z.unknown()),
	permissions: z.record(z.string()),
	jobs: z.record(
		z.object({
			uses: z.string().optional(),
			needs: z.string().optional(),
			permissions: z.record(z.string()).optional(),
			strategy: z
				.object({ matrix: z.record(z.array(z.string())) })
				.passthrough()
				.optional(),
			steps: z.array(stepSchema).default([]),
		}),
	),
});
const text = (name: string) => readFileSync(path.join(ROOT, '.github', 'workflows', name), 'utf8');
const read = (name: string) => workflowSchema.parse(parse(text(name)));

const ci = read('ci.yml');
const publish = read('publish.yml');
const steps = publish.jobs['publish']?.steps ?? [];
const stepWith = (part: string) => steps.findIndex(({ run }) => run?.includes(part));

describe.each(['ci.yml', 'publish.yml'])('%s', (name) => {
	const { jobs, permissions } = read(name);
	const all = Object.values(jobs).flatMap((job) => job.steps);

	it('may only read, but for the job that publishes', () => {
		expect(permissions).toEqual({ contents: 'read' });
		for (const [job, { permissions: own }] of Object.entries(jobs)) {
			expect([job, own]).toEqual([
				job,
				job === 'publish' ? { contents: 'read', 'id-token': 'write' } : undefined,
			]);
		}
	});

	it('uses actions of a pinned major version, and scripts that there are', () => {
		const used = all.flatMap(({ uses }) => uses ?? []);
		expect(used).not.toEqual([]);
		for (const action of used) expect(action).toMatch(/^actions\/[a-z-]+@v\d+$/);
		for (const [, script] of text(name).matchAll(/npm run ([a-z\d:-]+)/g)) {
			expect(Object.keys(root.scripts)).toContain(script);
		}
	});

	it('names no registry', () => {
		for (const step of all) expect(step.with ?? {}).not.toHaveProperty('registry-url');
		expect(text(name)).not.toMatch(/npmjs|https?:\/\/\w/);
	});
});

describe('ci.yml', () => {
	it('runs the test command of the README', () => {
		const readme = spawnSync(process.execPath, ['scripts/readme-command.mjs', '2'], {
			cwd: ROOT,
			encoding: 'utf8',
		});
		expect(ci.jobs['test']?.steps.at(-1)?.run).toBe(readme.stdout.trim());
	});

	it('runs for main and for pull requests, and before a release', () => {
		expect(ci.on).toMatchObject({ push: { branches: ['main'] } });
		expect(Object.keys(ci.on)).toEqual(['push', 'pull_request', 'workflow_call']);
		expect(publish.jobs['ci']?.uses).toBe('./.github/workflows/ci.yml');
		expect(publish.jobs['publish']?.needs).toBe('ci');
	});
});

describe('publish.yml', () => {
	it('runs for a version tag, or by hand for one service', () => {
		expect(publish.on).toMatchObject({ push: { tags: ['v*'] } });
		const offered = z
			.object({ inputs: z.object({ service: z.object({ options: z.array(z.string()) }) }) })
			.parse(publish.on['workflow_dispatch']).inputs.service.options;
		expect(offered.map((service) => `n8n-nodes-${service}`)).toEqual(singleFolders);
	});

	it('checks tag and lint gate, then publishes with provenance', () => {
		const order = ['check-tag.mjs "$GITHUB_REF_NAME"', 'npm ci', 'npm run lint', 'npm publish'];
		const places = order.map(stepWith);
		expect(places).not.toContain(-1);
		expect(places).toEqual([...places].sort((a, b) => a - b));
		const commands = steps.flatMap(({ run }) => run?.match(/npm publish.*/g) ?? []);
		expect(commands).toEqual([
			'npm publish --provenance --access public',
			'npm publish ./single/*.tgz --provenance --access public',
		]);
		expect(steps.filter(({ run }) => run?.includes('npm publish')).map((step) => step.if)).toEqual([
			"github.event_name == 'push'",
			"github.event_name == 'workflow_dispatch'",
		]);
	});
});

describe('the check of a tag', () => {
	it('passes the version of this release', () => {
		expect(checkTag(`v${root.version}`)).toMatchObject({ status: 0, stderr: '' });
	});

	it('refuses another one, naming every manifest and the changelog', () => {
		const { status, stderr } = checkTag('v99.0.0');
		expect(status).toBe(1);
		for (const folder of singleFolders) expect(stderr).toContain(`packages/${folder}/package.json`);
		expect(stderr).toContain('CHANGELOG.md has no section "## 99.0.0"');
		expect(checkTag('').status).toBe(1);
	});
});
