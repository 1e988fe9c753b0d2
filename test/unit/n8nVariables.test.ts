import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from '@jest/globals';

import { ADDRESS_VARIABLE } from '../../nodes/shared/url';
import { environmentOf } from '../../testkit/queue/compose';

/**
 * What the project says about n8n's environment variables is right in n8n 1.x, 2.x and 3.x. What n8n itself
 * makes of them is tested in e2e/webhookUrl and, for those of deploy/, in queue/queue.
 */

const ROOT = join(__dirname, '..', '..');
/** Tests try what users are not to do. */
const NO_TEXT = /^test\/|\.(png|svg)$|package-lock\.json$/;

const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], {
	cwd: ROOT,
	encoding: 'utf8',
})
	.split('\n')
	.filter((name) => name !== '' && !NO_TEXT.test(name));

function read(name: string): string {
	return readFileSync(join(ROOT, name), 'utf8');
}

/** Paragraphs, tables and blocks of code. */
function blocksOf(name: string): string[] {
	return read(name).split(/\n\s*\n/);
}

const VALUES = { N8N_ENCRYPTION_KEY: 'k', N8N_DOMAIN: 'n8n.example.com', POSTGRES_PASSWORD: 'p' };

describe('the public address of n8n', () => {
	it('is documented as N8N_WEBHOOK_URL wherever its former name is given', () => {
		const alone = files.flatMap((name) =>
			blocksOf(name)
				.filter((block) => /\bWEBHOOK_URL\b/.test(block) && !/\bN8N_WEBHOOK_URL\b/.test(block))
				.map((block) => `${name}: ${block}`),
		);
		expect(alone).toEqual([]);
	});

	it.each(['README.md', 'scripts/repository/README.md', 'docs/troubleshooting.md'])(
		'is documented in %s with its former name for older versions',
		(name) => {
			const text = read(name).replaceAll('`', '').replaceAll('\n', ' ');
			expect(text).toContain(ADDRESS_VARIABLE);
		},
	);
});

describe('unverified packages', () => {
	const ALLOWED = 'N8N_UNVERIFIED_PACKAGES_ENABLED=true';

	it.each(['README.md', 'scripts/repository/README.md', 'docs/troubleshooting.md'])(
		'are documented in %s with the setting that allows them',
		(name) => {
			expect(read(name)).toContain(ALLOWED);
		},
	);

	it('do not call themselves verified', () => {
		const claims = files.filter((name) =>
			/\bverified (webhook|triggers?\b|nodes?\b)/i.test(read(name)),
		);
		expect(claims).toEqual([]);
	});
});

describe('deploy/', () => {
	it.each(['n8n', 'n8n-webhook-1', 'n8n-worker-1'])(
		'sets for %s what n8n 3.0 needs, by the newest names',
		(service) => {
			const environment = environmentOf(service, VALUES);
			expect(environment).toMatchObject({
				N8N_WEBHOOK_URL: 'https://n8n.example.com/',
				N8N_UNVERIFIED_PACKAGES_ENABLED: 'true',
				OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS: 'true',
			});
			expect(environment).not.toHaveProperty('WEBHOOK_URL');
		},
	);
});
