import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { NodeApiError, type INodeParameters } from 'n8n-workflow';

import { runAction } from './actionHost';
import { checkForgeries, spacedOut, stopClock, type WireScheme } from './conformanceForgeries';
import {
	PigeonPost,
	PigeonPostApi,
	PigeonPostTrigger,
	signLetter,
	wireSchemes,
} from './fifthProvider';
import { startLoft, type Loft } from './fifthProviderServer';
import { endProcess } from './process';
import { ContextHost, type ContextHostOptions } from '../../testkit/contextHost';
import { holdAnswer } from './hosts';
import { useHosts } from './useHosts';

/**
 * A provider is added with data, two node classes and a credential, and without an edit in
 * `nodes/shared`: one that exists in this folder alone passes what the others pass.
 */

const SECRET = 'the pigeon knows';
const ORIGIN = 'https://n8n.example.com';
const EVENTS = ['letter.carried', 'letter.lost'];
const [proof, feather] = wireSchemes;

let loft: Loft;
let letters = 0;
let workflows = 0;
const open = useHosts();

beforeAll(async () => {
	loft = await startLoft();
});
afterEach(() => {
	loft.reset();
});
afterAll(async () => {
	await loft.close();
});

function startHost(
	parameters: INodeParameters = {},
	changes: Partial<ContextHostOptions> = {},
): ContextHost {
	return open({
		node: new PigeonPostTrigger(),
		credentialType: new PigeonPostApi(),
		credential: { baseUrl: loft.url, apiKey: loft.key },
		webhookOrigin: ORIGIN,
		parameters: { registration: 'automatic', events: [...EVENTS], ...parameters },
		workflowId: `workflow ${workflows++}`,
		...changes,
	});
}

/** A trigger whose secret a person has put into the credential. */
function startManual(parameters: INodeParameters = {}): ContextHost {
	return startHost(
		{ registration: 'manual', ...parameters },
		{ credential: { signingSecret: SECRET } },
	);
}

function letter(
	scheme: WireScheme = proof,
	changes: { secret?: string; ageSeconds?: number; kind?: string } = {},
) {
	letters++;
	const { secret = SECRET, ageSeconds = 0, kind = 'letter.carried' } = changes;
	const atMs = Date.now() - ageSeconds * 1000;
	return {
		atMs,
		uid: `uid-${letters}`,
		...signLetter(scheme, { uid: `uid-${letters}`, kind, secret, atMs }),
	};
}

/** Delivers what the provider would send to its endpoint. @returns how many runs it started */
async function runsOfOneLetter(host: ContextHost): Promise<number> {
	const before = host.runs.length;
	for (const { url, secret } of loft.perches) {
		if (url === host.webhookUrl) await host.deliver(letter(proof, { secret }));
	}
	return host.runs.length - before;
}

describe('nodes/shared', () => {
	const nodes = path.join(__dirname, '../../nodes');
	const shared = path.join(nodes, 'shared');
	const sources = readdirSync(shared, { recursive: true, encoding: 'utf8' })
		.filter((file) => file.endsWith('.ts'))
		.map((file) => ({ file, text: readFileSync(path.join(shared, file), 'utf8') }));

	it('imports no provider', () => {
		for (const { file, text } of sources) {
			for (const [, from = ''] of text.matchAll(/from '([^']+)'/g)) {
				const inShared = path.relative(shared, path.resolve(shared, path.dirname(file), from));
				expect({ file, from: from.startsWith('.') ? inShared : from }).toEqual({
					file,
					from: expect.stringMatching(/^([\w/]+|n8n-workflow|zod\/v4|node:\w+)$/),
				});
			}
		}
	});

	it('names no provider, except in comments and the name of the package', () => {
		const names = readdirSync(nodes)
			.filter((folder) => folder !== 'shared')
			.map((folder) => folder.toLowerCase());
		const naming = sources.flatMap(({ file, text }) => {
			const code = text
				.replace(/\/\*[^]*?\*\/|^\s*\/\/.*$/gm, '')
				.replaceAll('n8n-nodes-misar-metigan', '')
				.replace(/\s/g, '')
				.toLowerCase();
			return names.filter((name) => code.includes(name)).map((name) => `${file}: ${name}`);
		});
		expect(names).toContain('mailpanda');
		expect(naming).toEqual([]);
	});
});

describe('a delivery of the fifth provider', () => {
	beforeAll(() => stopClock(Date.parse('2026-01-02T03:04:05Z')));
	afterAll(() => {
		jest.useRealTimers();
	});

	it.each([
		['proof', proof],
		['feather', feather],
	])('runs with its output: %s', async (id, scheme) => {
		const host = startManual({ simplify: false });
		const sent = letter(scheme);
		const { status, run } = await host.deliver(sent);
		const at = new Date(sent.atMs).toISOString();
		expect(status).toBe(200);
		expect(run?.map(({ json }) => json)).toEqual([
			{
				provider: 'pigeonPost',
				event: 'letter.carried',
				deliveryId: sent.uid,
				occurredAt: at,
				recipient: 'ada@example.com',
				data: sent.letter,
				headers: expect.objectContaining({ 'x-pigeon-kind': 'letter.carried' }),
				payload: JSON.parse(sent.body.toString()),
				verification: { scheme: id, ...(scheme === proof ? { signedAt: at } : {}) },
			},
		]);
		expect((await host.deliver(spacedOut(letter(scheme)))).run).toHaveLength(1);
	});

	it.each([
		['proof', proof, feather],
		['feather', feather, proof],
	])('is refused in every forged form: %s', async (_id, scheme, sibling) => {
		const host = startManual();
		const specimen = {
			scheme,
			siblings: [sibling],
			sign: (changes = {}) => letter(scheme, changes),
		};
		expect(await checkForgeries(specimen, () => host)).toBeGreaterThan(10);
	});

	it('runs only if its event is selected, and not for a ping', async () => {
		const host = startManual({ events: ['letter.lost'] });
		for (const [kind, ignored] of [
			['letter.carried', 'event is not selected'],
			['coo', 'ping'],
		] as const) {
			expect(await host.deliver(letter(proof, { kind }))).toMatchObject({
				status: 200,
				body: { received: true, ignored },
				run: undefined,
			});
		}
	});

	it('runs once, however often it comes', async () => {
		const host = startManual();
		const sent = letter();
		const { entered, release } = holdAnswer(host);
		const first = host.deliver(sent);
		await entered;
		const copy = await host.deliver(sent);
		expect(copy).toMatchObject({ status: 503, run: undefined, ended: true });
		expect(copy.headers.get('retry-after')).not.toBeNull();
		release();
		expect(await first).toMatchObject({ status: 200 });
		expect(await host.deliver(sent)).toMatchObject({ status: 200, body: { duplicate: true } });
		expect(host.runs).toHaveLength(1);
	});

	it('is put off with 503 while its registration is in flight', async () => {
		const result = await startHost().deliver(letter());
		expect(result).toMatchObject({ status: 503, run: undefined, ended: true });
		expect(Number(result.headers.get('retry-after'))).toBeGreaterThan(0);
	});
});

describe('a registration at the fifth provider', () => {
	it('registers URL and events, keeps the secret sealed, and leaves other endpoints alone', async () => {
		const others = ['a', 'b', 'c'].map((name) => ({ ...loft.add(`https://${name}.example.com/`) }));
		const host = startHost();
		await host.publish();
		const [mine] = loft.perches.slice(others.length);
		expect(mine).toMatchObject({ url: host.webhookUrl, active: true });
		expect(mine?.events.split(',').sort()).toEqual(EVENTS);
		expect(JSON.stringify(host.savedStaticData)).not.toContain(mine?.secret);
		host.restart();
		expect(await host.checkExists()).toBe(true);
		expect(loft.answers).toContain('GET /loft/v2/perches?offset=2&max=2 200');
		expect(await runsOfOneLetter(host)).toBe(1);

		await host.unpublish();
		expect(loft.perches).toEqual(others);
	});

	it('ends with one endpoint when create is called five times at once', async () => {
		const host = startHost();
		await Promise.all(Array.from({ length: 5 }, async () => await host.create()));
		expect(loft.perches).toHaveLength(1);
		expect(await runsOfOneLetter(host)).toBe(1);
	});

	it('ends with one endpoint when the answer to a create is lost', async () => {
		loft.fault({ method: 'POST' });
		const host = startHost();
		await host.publish();
		// The endpoint of the lost answer was removed, and another one created.
		expect(loft.answers.map((answer) => answer.replace(/ .* /, ' '))).toEqual(
			expect.arrayContaining(['DELETE 204', 'POST 201']),
		);
		expect(loft.perches).toHaveLength(1);
		expect(await runsOfOneLetter(host)).toBe(1);
	});

	it('does not adopt an endpoint whose secret was lost before the save', async () => {
		const host = startHost();
		await host.create();
		endProcess();
		host.restart();
		await host.publish();
		expect(loft.perches).toHaveLength(1);
		expect(await runsOfOneLetter(host)).toBe(1);
	});

	it.each([
		['events', { events: 'letter.lost' }],
		['URL', { url: `${ORIGIN}/moved` }],
		['active flag', { active: false }],
	])('repairs a changed %s in place', async (_what, drift) => {
		const host = startHost();
		await host.publish();
		const [perch] = loft.perches;
		if (perch === undefined) throw new Error('nothing was registered');
		const { id } = Object.assign(perch, drift);
		host.restart();
		await host.publish();
		expect(loft.perches).toMatchObject([{ id, url: host.webhookUrl, active: true }]);
		expect(loft.perches[0]?.events.split(',').sort()).toEqual(EVENTS);
		expect(loft.answers).toContain(`PUT /loft/v2/perches?id=${id} 200`);
		expect(await runsOfOneLetter(host)).toBe(1);
	});

	it('accepts that the endpoint to delete is already gone', async () => {
		const host = startHost();
		await host.publish();
		loft.perches.splice(0);
		await expect(host.delete()).resolves.toBe(true);
		host.save();
		expect(host.remembered).not.toHaveProperty('registration');
	});

	it('throws when a delete is answered with 500, and keeps the ID', async () => {
		const host = startHost();
		await host.publish();
		loft.fault({ method: 'DELETE', status: 500 });
		await expect(host.delete()).rejects.toBeInstanceOf(NodeApiError);
		host.save();
		expect(JSON.stringify(host.savedStaticData)).toContain(loft.perches[0]?.id);
		await host.unpublish();
		expect(loft.perches).toEqual([]);
	});
});

describe('the action node of the fifth provider', () => {
	async function run(parameters: INodeParameters) {
		const action = {
			provider: 'pigeonPost',
			node: new PigeonPost(),
			credentialType: new PigeonPostApi(),
			parameters: {},
		};
		const account = { url: loft.url, keys: { pigeonPost: loft.key } };
		const { outputs, error } = await runAction(account, action, { parameters });
		expect(error).toBeUndefined();
		return outputs.map((items) => items.map(({ json }) => json));
	}

	it('has an operation of its own beside the common ones', () => {
		const [resources] = new PigeonPost().description.properties;
		expect(resources?.options?.map((option) => option.name)).toEqual([
			'Delivery',
			'Endpoint',
			'Event',
			'Pigeon',
			'Signature',
		]);
	});

	it('runs its own operation, page by page', async () => {
		loft.pigeons.push('a', 'b', 'c');
		const own = { resource: 'pigeon', operation: 'getAll' };
		expect(await run({ ...own, returnAll: true })).toEqual([
			[{ ring: 'a' }, { ring: 'b' }, { ring: 'c' }],
		]);
		expect(loft.answers).toContain('GET /loft/v2/pigeons?offset=2&max=2 200');
		expect(await run({ ...own, returnAll: false, limit: 1 })).toEqual([[{ ring: 'a' }]]);
	});

	it('runs an operation that all providers have', async () => {
		const { id } = loft.add('https://a.example.com/');
		const all = { resource: 'endpoint', operation: 'getAll', returnAll: true };
		expect(await run(all)).toEqual([[expect.objectContaining({ id })]]);
	});
});
