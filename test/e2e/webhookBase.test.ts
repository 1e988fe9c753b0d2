import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { describe, expect, it } from '@jest/globals';

import { webhookUrlObjection } from '../../nodes/shared/registration/webhookUrl';
import { sameUrl } from '../../nodes/shared/url';
import { locateN8n } from '../../testkit/n8n-host/locate';

/**
 * How n8n's own code reads its two variables, without a start, and what a publish then says or
 * registers. e2e/webhookUrl has some of the same with a start.
 */

const isOne = process.env['N8N_HOST_PIN'] === '1.x';
/** The variable that counts. */
const NAME = isOne ? 'WEBHOOK_URL' : 'N8N_WEBHOOK_URL';

const PRINT_BASE = `
	const load = require('node:module').createRequire(process.argv[1]);
	load('reflect-metadata');
	const { UrlService } = load('../dist/services/url.service.js');
	process.stdout.write(load('@n8n/di').Container.get(UrlService).getWebhookBaseUrl());
`;

/** What follows the base in the address of a webhook. */
const REST = 'webhook/7a3c/misar';
const PROVIDER = 'https://api.misar.io';

/** The URL of a webhook in an n8n with these variables. */
async function webhookUrlWith(variables: Record<string, string>): Promise<string> {
	const { nodeBinary, n8nBin } = await locateN8n();
	const program = promisify(execFile)(nodeBinary, ['-e', PRINT_BASE, n8nBin], { env: variables });
	return `${(await program).stdout}${REST}`;
}

/** Why a publish refuses, or what it registers. */
async function outcomeOf(variables: Record<string, string>): Promise<string> {
	const url = await webhookUrlWith(variables);
	return webhookUrlObjection(url, PROVIDER) ?? url;
}

const LOCAL = 'http://localhost:5678 can only be reached from this machine or its network';
const NEW = 'https://new.example.com';
const OLD = 'https://old.example.com';

describe('the base of webhook URLs', () => {
	it.each([
		['neither variable', {}, LOCAL, LOCAL],
		['the new one', { N8N_WEBHOOK_URL: NEW }, `${NEW}/${REST}`, LOCAL],
		['the old one', { WEBHOOK_URL: OLD }, `${OLD}/${REST}`, `${OLD}/${REST}`],
		['both', { N8N_WEBHOOK_URL: NEW, WEBHOOK_URL: OLD }, `${NEW}/${REST}`, `${OLD}/${REST}`],
		[
			'an empty new one',
			{ N8N_WEBHOOK_URL: '', WEBHOOK_URL: OLD },
			`${OLD}/${REST}`,
			`${OLD}/${REST}`,
		],
	])('follow the variables: %s', async (_what, variables, newest, oldest) => {
		expect(await outcomeOf(variables)).toBe(isOne ? oldest : newest);
	});
});

describe('an address in the variable', () => {
	it.each([
		['https://n8n.example.com', `https://n8n.example.com/${REST}`],
		['https://n8n.example.com/', `https://n8n.example.com/${REST}`],
		['https://n8n.example.com/automation', `https://n8n.example.com/automation/${REST}`],
		['https://n8n.example.com/automation/', `https://n8n.example.com/automation/${REST}`],
		['"https://n8n.example.com/"', `https://n8n.example.com/${REST}`],
		['https://n8n.example.com:8443', `https://n8n.example.com:8443/${REST}`],
		['http://n8n.example.com', 'http://n8n.example.com does not use HTTPS'],
		['https://n8n.lan', 'https://n8n.lan can only be reached from this machine or its network'],
		[
			'http://192.168.1.20:5678',
			'http://192.168.1.20:5678 can only be reached from this machine or its network',
		],
		['n8n.example.com', `"n8n.example.com/${REST}" is not a web address`],
		['me:pass@n8n.example.com', `"n8n.example.com/${REST}" is not a web address`],
		[
			'https://me:pass@n8n.example.com',
			'it holds a name or a password for n8n.example.com, which all who may read the workflow would see',
		],
	])('has this outcome: %s', async (address, outcome) => {
		expect(await outcomeOf({ [NAME]: address })).toBe(outcome);
	});

	it('with an international host name is registered as written', async () => {
		const url = await outcomeOf({ [NAME]: 'https://bücher.example.com' });
		expect(url).toBe(`https://bücher.example.com/${REST}`);
		expect(sameUrl(url, `https://xn--bcher-kva.example.com/${REST}`)).toBe(true);
	});
});
