import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { LAZY_ISOLATES } from '../../testkit/n8n-host/isolates';
import { environmentOf, readCaddyfile, readCompose } from '../../testkit/queue/compose';

/**
 * The compose file that users start. `npm run test:queue` runs n8n with its settings; these tests check
 * what only Docker would notice.
 */

const ROOT = join(__dirname, '..', '..');
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8');
const compose = readCompose();
const services = Object.entries(compose.services);
const n8nServices = services.filter(([name]) => name.startsWith('n8n'));
const VALUES = { N8N_ENCRYPTION_KEY: 'k', N8N_DOMAIN: 'n8n.example.com', POSTGRES_PASSWORD: 'p' };

describe('deploy/docker-compose.yml', () => {
	it('starts one main process, two webhook processors and two workers', () => {
		expect(n8nServices.map(([, { command }]) => command)).toEqual([
			'start',
			'webhook',
			'webhook',
			'worker',
			'worker',
		]);
	});

	it('pins the n8n that is tested', () => {
		const pin = z
			.object({ dependencies: z.object({ n8n: z.string() }) })
			.parse(JSON.parse(read('testkit', 'n8n-host', 'package.json')));
		const images = services
			.filter(([name]) => name === 'packages' || name.startsWith('n8n'))
			.map(([, { image }]) => image);
		expect(images.length).toBeGreaterThan(n8nServices.length);
		expect(new Set(images)).toEqual(new Set([`n8nio/n8n:${pin.dependencies.n8n}`]));
	});

	it('gives every process of n8n the same settings', () => {
		const main = environmentOf('n8n', VALUES);
		for (const [name, { command }] of n8nServices) {
			const health = command === 'worker' ? { QUEUE_HEALTH_CHECK_ACTIVE: 'true' } : {};
			expect(environmentOf(name, VALUES)).toEqual({ ...main, ...health });
		}
	});

	it('has n8n create isolates only when there is something to evaluate, as the tests do', () => {
		expect(environmentOf('n8n', VALUES)).toMatchObject(LAZY_ISOLATES);
	});

	it.each(services.filter(([name]) => !['packages', 'requeue'].includes(name)))(
		'restarts %s and checks its health',
		(_name, service) => {
			expect(service.restart).toBe('unless-stopped');
			expect(service.healthcheck?.test[0]).toMatch(/^CMD/);
		},
	);

	it.each(services)('lets %s wait for what has a health check', (_name, { depends_on: needs }) => {
		for (const [other, { condition }] of Object.entries(needs)) {
			const checked = compose.services[other]?.healthcheck !== undefined;
			expect([other, condition]).toEqual([
				other,
				checked ? 'service_healthy' : 'service_completed_successfully',
			]);
		}
	});

	it('waits for the database, the queue and the package, helpers also for the main process', () => {
		for (const [name, { depends_on: needs }] of n8nServices) {
			expect(Object.keys(needs).sort()).toEqual(
				[...(name === 'n8n' ? [] : ['n8n']), 'packages', 'postgres', 'redis'].sort(),
			);
		}
	});

	it('gives n8n time to end before Docker kills it', () => {
		for (const [name, { stop_grace_period: grace }] of n8nServices) {
			const { N8N_GRACEFUL_SHUTDOWN_TIMEOUT: shutdown } = environmentOf(name, VALUES);
			expect(Number.parseInt(grace ?? '', 10)).toBeGreaterThan(Number(shutdown));
		}
	});

	it('puts the package where n8n looks for it', () => {
		const { packages } = compose.services;
		expect(packages?.volumes).toEqual(['packages:/packages']);
		expect(packages?.command).toContainEqual(
			expect.stringMatching(/^n8n-nodes-misar-metigan@\$\{PACKAGE_VERSION/),
		);
		for (const [, { volumes }] of n8nServices) {
			expect(volumes).toEqual(['packages:/home/node/.n8n/nodes']);
		}
	});

	it('declares its volumes and mounts files that exist', () => {
		const mounts = services.flatMap(([, { volumes }]) => volumes.map((v) => v.split(':')[0] ?? ''));
		const named = mounts.filter((mount) => !mount.startsWith('.'));
		expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort());
		const files = mounts.filter((mount) => mount.startsWith('.'));
		expect(files).toEqual(['./requeue.lua']);
		for (const file of files) expect(read('deploy', file)).toMatch(/./);
	});

	it('sends production webhooks to the processors and everything else to the main process', () => {
		const { content } = compose.configs.caddyfile;
		const processors = n8nServices
			.filter(([, { command }]) => command === 'webhook')
			.map(([name]) => `${name}:5678`);
		expect(content).toContain('@production path /webhook/*');
		expect(content).toContain(`reverse_proxy @production ${processors.join(' ')} {`);
		expect(content).toMatch(/^\s*reverse_proxy n8n:5678 \{$/m);
	});

	it('sends nothing to an n8n before it is ready', () => {
		const content = readCaddyfile();
		const ready = /^\(ready\) \{([^}]*)\}/.exec(content)?.[1]?.trim().split(/\n\s*/);
		expect(ready).toEqual([
			'health_uri /healthz/readiness',
			'health_interval 1s',
			'health_timeout 2s',
		]);
		const blocks = content.match(/reverse_proxy .*\n.*/g) ?? [];
		expect(blocks).toHaveLength(2);
		for (const block of blocks) expect(block).toMatch(/\{\n\s*import ready$/);
	});
});

describe('deploy/.env.example', () => {
	const lines = read('deploy', '.env.example').split('\n');
	const given = new Map(
		lines.flatMap((line) => {
			const [, name, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
			return name === undefined ? [] : [[name, value ?? '']];
		}),
	);

	it('names every value that the compose file asks for, and no other', () => {
		const asked = read('deploy', 'docker-compose.yml').matchAll(/\$\{(\w+):\?/g);
		const names = new Set([...asked].map(([, name]) => name));
		expect([...given.keys()].sort()).toEqual([...names].sort());
	});

	it('holds no secret, and the version of this package', () => {
		expect([given.get('N8N_ENCRYPTION_KEY'), given.get('POSTGRES_PASSWORD')]).toEqual(['', '']);
		const { version } = z.object({ version: z.string() }).parse(JSON.parse(read('package.json')));
		expect(given.get('PACKAGE_VERSION')).toBe(version);
	});
});
