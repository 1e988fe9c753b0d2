import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';

import { SCRIPTS } from '../../scripts/support/singleManifest';
import { ORIGIN } from '../../testkit/publishTrigger';

/** What a release depends on: the workflows, and the packages of single services. */

const ROOT = path.join(__dirname, '..', '..');
const PACKAGES = path.join(ROOT, 'packages');

const manifestSchema = z
	.object({
		name: z.string(),
		description: z.string(),
		version: z.string(),
		keywords: z.array(z.string()),
		repository: z.record(z.string()),
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
	it('contain each node and credential exactly once', () => {
		expect(singles.flatMap(({ n8n }) => n8n.nodes).sort()).toEqual([...root.n8n.nodes].sort());
		expect(singles.flatMap(({ n8n }) => n8n.credentials).sort()).toEqual(
			[...root.n8n.credentials].sort(),
		);
	});

	it.each(singles.map((single, at) => [singleFolders[at] ?? '', single] as const))(
		'%s holds one provider, and otherwise equals the whole package',
		(folder, single) => {
			expect(single.name).toBe(folder);
			expect(new Set(single.n8n.nodes.map((file) => path.dirname(file))).size).toBe(1);
			expect(single.n8n.credentials).toHaveLength(1);
			for (const file of [...single.n8n.nodes, ...single.n8n.credentials]) {
				const source = file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
				expect([source, existsSync(path.join(ROOT, source))]).toEqual([source, true]);
			}
			// n8n compares it with where the package was published from, which holds this package alone.
			const repository = `https://github.com/n8n-nodes-misar-metigan/${folder}`;
			expect(single.repository).toEqual({ type: 'git', url: `git+${repository}.git` });
			expect(single).toMatchObject({
				homepage: `${repository}#readme`,
				bugs: { url: `${repository}/issues` },
			});
			const common = ['version', 'license', 'author', 'engines', 'files', 'peerDependencies'];
			for (const key of common) expect(single[key]).toEqual(root[key]);
			expect(single.keywords).toContain('n8n-community-node-package');
		},
	);
});

describe.each(singles)('the description of $name', ({ description, n8n: { nodes } }) => {
	it('names the provider, the trigger, and that there is more than a trigger', () => {
		const actions = nodes.filter((file) => !file.includes('Trigger'));
		const [folder = ''] = nodes.map((file) => path.basename(path.dirname(file)));
		const provider = description.split(':')[0]?.replace(/^n8n nodes? for /, '') ?? '';
		expect(provider.replaceAll(/[ .]/g, '')).toMatch(new RegExp(`^${folder}`));
		expect(description).toContain('trigger');
		expect(description.startsWith('n8n nodes for ')).toBe(actions.length > 0);
	});
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
			if: z.string().optional(),
			needs: z.union([z.string(), z.array(z.string())]).optional(),
			permissions: z.record(z.string()).optional(),
			strategy: z
				.object({ matrix: z.object({ suite: z.array(z.string()).default([]) }) })
				.optional(),
			steps: z.array(stepSchema).default([]),
		}),
	),
});
/** @param name - e.g. `ci.yml`, or `single/ci.yml` of the repository of a single service */
const text = (name: string) => {
	const folder = name.startsWith('single/') ? path.join('scripts', 'repository') : '';
	return readFileSync(path.join(ROOT, folder, '.github', 'workflows', path.basename(name)), 'utf8');
};
const read = (name: string) => workflowSchema.parse(parse(text(name)));

const ci = read('ci.yml');
const publish = read('publish.yml');
const building = publish.jobs['build']?.steps ?? [];

describe.each([
	...['ci.yml', 'nightly.yml', 'publish.yml'],
	...['single/ci.yml', 'single/publish.yml'],
])('%s', (name) => {
	const { jobs, permissions } = read(name);
	const all = Object.values(jobs).flatMap((job) => job.steps);

	it('has read permission only, except for the job that publishes', () => {
		expect(permissions).toEqual({ contents: 'read' });
		const own = Object.entries(jobs).flatMap(([job, { permissions: more }]) =>
			more === undefined ? [] : [[job, more]],
		);
		const lookUp = name === 'publish.yml' && [['build', { contents: 'read', actions: 'read' }]];
		const publishes = name.endsWith('publish.yml') && [['publish', { 'id-token': 'write' }]];
		expect(own).toEqual([...(lookUp || []), ...(publishes || [])]);
	});

	it('uses actions of one commit each, with the version beside it', () => {
		const used = [...text(name).matchAll(/uses: (.*)/g)].map(([, action]) => action);
		expect(used).not.toEqual([]);
		for (const action of used) {
			expect(action).toMatch(/^actions\/[a-z-]+(?:\/restore)?@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
		}
	});

	it('runs only scripts that exist', () => {
		const scripts = all.flatMap(({ run }) =>
			[...(run ?? '').matchAll(/npm run ([a-z\d:-]+)|npm (test)/g)].map(
				([, script, test]) => script ?? test,
			),
		);
		expect(scripts).not.toEqual([]);
		const offered = name.startsWith('single/') ? SCRIPTS : root.scripts;
		expect(Object.keys(offered)).toEqual(expect.arrayContaining(scripts));
	});

	it('names no registry', () => {
		for (const step of all) expect(step.with ?? {}).not.toHaveProperty('registry-url');
		expect(text(name)).not.toMatch(/npmjs|https?:\/\/\w/);
	});
});

describe('ci.yml', () => {
	it('runs every suite', () => {
		const suites = Object.values(ci.jobs).flatMap(({ strategy }) => strategy?.matrix.suite ?? []);
		const named = Object.keys(root.scripts).flatMap(
			(script) => /^test:(?!watch$)(.*)$/.exec(script)?.[1] ?? [],
		);
		expect(suites).toEqual(expect.arrayContaining(['lint', 'typecheck', ...named]));
	});

	it.each([
		['ALL_FAULTS', '1'],
		['ALL_PACKAGES', '1'],
		['BACKLOG', '5000'],
		['FUZZ_RUNS', '10000'],
		['KILLS', '30'],
		['TEST_SEED', 'random'],
	])('tests more at night: %s=%s', (name, value) => {
		expect(ci.on).toMatchObject({ schedule: [{ cron: expect.any(String) }] });
		expect(text('ci.yml')).toContain(
			`${name}: \${{ github.event_name == 'schedule' && '${value}' || '' }}`,
		);
	});

	it('runs for main and for pull requests, which wait for one check of all jobs', () => {
		expect(ci.on).toMatchObject({ push: { branches: ['main'] } });
		expect(Object.keys(ci.on)).toContain('pull_request');
		const { checks, ...others } = ci.jobs;
		expect(checks?.needs).toEqual(Object.keys(others));
		expect(checks?.if).toBe('always()');
	});
});

describe('nightly.yml', () => {
	const { jobs, on } = read('nightly.yml');
	const steps = Object.values(jobs).flatMap((job) => job.steps);

	it('runs at night and by hand, and no pull request waits for it', () => {
		expect(Object.keys(on).sort()).toEqual(['schedule', 'workflow_dispatch']);
	});

	it('runs test files that exist, none of which starts n8n again', () => {
		const [, names = ''] = /--testPathPatterns 'e2e\/\((.*)\)'/.exec(text('nightly.yml')) ?? [];
		for (const name of names.split('|')) {
			const code = readFileSync(path.join(ROOT, 'test', 'e2e', `${name}.test.ts`), 'utf8');
			expect(code).not.toMatch(
				/\.(restart|kill|pid)\b|(start|use)N8n\([^;]*(env(?!: FEW_ISOLATES)|pin|userFolder)/,
			);
		}
	});

	it('starts the image with settings that exist', () => {
		const [, file = ''] = /--env-file (\S+)/.exec(text('nightly.yml')) ?? [];
		expect(readFileSync(path.join(ROOT, file), 'utf8')).toContain(`N8N_WEBHOOK_URL=${ORIGIN}\n`);
	});

	it('lints with the newest rules and the newest scanner of n8n', () => {
		const installs = steps.find(({ run }) => run?.includes('--no-save'))?.run;
		for (const name of ['eslint-plugin-community-nodes', 'scan-community-package']) {
			expect(root['devDependencies']).toHaveProperty([`@n8n/${name}`]);
			expect(installs).toContain(`@n8n/${name}@latest`);
		}
	});
});

describe('publish.yml', () => {
	it('builds only a tag whose commit has passed on main, and runs no suite again', () => {
		const order = [
			'gh run list',
			'check-tag.mjs "$GITHUB_REF_NAME"',
			'npm ci',
			'npm run lint',
			'npm pack',
		];
		const places = order.map((part) => building.findIndex(({ run }) => run?.includes(part)));
		expect(places).not.toContain(-1);
		expect(places).toEqual([...places].sort((a, b) => a - b));
		const lookUp = building.find(({ run }) => run?.includes('gh run list'))?.run;
		for (const option of ['--commit "$GITHUB_SHA"', '--branch main', '--status success']) {
			expect(lookUp).toContain(option);
		}
		expect(text('publish.yml')).not.toMatch(/npm test|npm run test/);
	});
});

describe.each(['publish.yml', 'single/publish.yml'])('%s', (name) => {
	const { jobs, on } = read(name);
	const publishing = jobs['publish']?.steps ?? [];

	it('runs for a version tag alone', () => {
		expect(on).toEqual({ push: { tags: ['v*'] } });
	});

	it('publishes with provenance what was built, without the code of the repository', () => {
		expect(jobs['publish']?.needs).toBe('build');
		const commands = Object.values(jobs)
			.flatMap((job) => job.steps)
			.flatMap(({ run }) => run?.match(/npm publish.*/g) ?? []);
		expect(commands).toEqual([
			'npm publish ./release/*.tgz --provenance --access public --ignore-scripts',
		]);
		expect(publishing.at(-1)?.run).toContain('npm publish');
		expect(publishing.filter(({ uses }) => uses?.includes('checkout'))).toEqual([]);
		expect(publishing.filter(({ run }) => /npm (?:ci|run|install)/.test(run ?? ''))).toEqual([]);
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
