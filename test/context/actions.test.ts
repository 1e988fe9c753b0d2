import { createServer, type Server } from 'node:http';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { INodeParameters } from 'n8n-workflow';

import type { Sandbox } from '../../sandbox';
import { listen, originOf, stop } from '../../testkit/loopback';
import {
	casesWithApi,
	mailPanda,
	metigan,
	misarMail,
	misarPost,
	misarReach,
	nodesUnderTest,
	runAction,
	runForData,
	searchEndpoints,
	type ActionCase,
} from './actionHost';
import { useSandbox } from './useSandbox';

/** Each operation on endpoints, deliveries and events, as n8n-core runs it, at each provider. */

const URL_OF = 'https://app.example.com/hooks';
const SECRET = 'whsec_given_by_the_user_0123456789';

let sandbox: Sandbox;

useSandbox((started) => (sandbox = started), { retryTimeScale: 0 });
beforeEach(() => {
	// It pings a new endpoint; what is registered here is nobody's address.
	sandbox.setBehaviour('misar.post', { pingOnCreate: false });
});

const endpoint = (operation: string, more: INodeParameters = {}): INodeParameters => ({
	resource: 'endpoint',
	operation,
	...more,
});
const byId = (id: string): INodeParameters => ({ endpoint: { __rl: true, mode: 'id', value: id } });

function add(action: ActionCase, path = '') {
	return sandbox.addEndpoint(action.provider, {
		url: `${URL_OF}${path}`,
		events: [...action.events],
	});
}

/** What n8n stores holds no signing secret of an endpoint. */
function expectNoSecret(stored: string) {
	for (const { secret } of sandbox.endpoints()) {
		if (secret !== undefined) expect(stored).not.toContain(secret);
	}
}

const calls = () => sandbox.requests().map(({ method, status }) => `${method} ${status}`);

describe.each(casesWithApi)('$title', (action) => {
	const { provider, events } = action;
	const remote = () => sandbox.endpoints(provider);

	it('creates an endpoint', async () => {
		const { outputs, error, stored } = await runAction(sandbox, action, {
			parameters: endpoint('create', { url: ` ${URL_OF} `, events: [...events] }),
		});
		const [created] = remote();
		expect(error).toBeUndefined();
		expect(remote()).toHaveLength(1);
		expect(created).toMatchObject({ url: URL_OF, events, active: true });
		expect(outputs).toEqual([
			[
				{
					json: {
						id: created?.id,
						url: URL_OF,
						events: [...events],
						active: true,
						createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
					},
					pairedItem: { item: 0 },
				},
			],
		]);
		expectNoSecret(stored);
		expect(stored).not.toContain(sandbox.keys[provider]);
	});

	it('creates one for all events and for names that are in no list', async () => {
		sandbox.setBehaviour(provider, { extraEvents: ['list.imported', 'email.deferred'] });
		const parameters = {
			events: ['*'],
			options: { customEvents: 'list.imported, email.deferred' },
		};
		await runForData(sandbox, action, {
			parameters: endpoint('create', { url: URL_OF, ...parameters }),
		});
		const [created] = remote();
		expect(created?.events).toEqual(
			expect.arrayContaining([...events, 'list.imported', 'email.deferred']),
		);
		expect(created?.events).not.toContain('*');
	});

	it.each([
		['text with commas', (names: readonly string[]) => names.join(', ')],
		['text with a JSON array', (names: readonly string[]) => JSON.stringify(names)],
		['a list', (names: readonly string[]) => [...names]],
	])('takes events that an expression yields as %s', async (_, write) => {
		await runForData(sandbox, action, {
			parameters: endpoint('create', { url: URL_OF, events: '={{ $json.events }}' }),
			items: [{ json: { events: write(events) } }],
		});
		expect(remote()).toMatchObject([{ events }]);
	});

	it('outputs the signing secret of a new endpoint when asked to', async () => {
		// A provider that takes a secret is given one by an expression; the others issue one.
		const [created] = await runForData(sandbox, action, {
			parameters: endpoint('create', {
				url: URL_OF,
				events: [...events],
				options: { includeSecret: true, signingSecret: '={{ $json.secret }}' },
			}),
			items: [{ json: { secret: SECRET } }],
		});
		const [{ secret } = {}] = remote();
		expect(secret).toEqual(expect.any(String));
		expect(created?.['signingSecret']).toBe(secret);
	});

	it('lists the endpoints, up to a limit or all', async () => {
		const added = [add(action, '/1'), add(action, '/2'), add(action, '/3')];
		const listed = await runForData(sandbox, action, {
			parameters: endpoint('getAll', { returnAll: true }),
		});
		expect(listed).toMatchObject(added.map(({ id, url }) => ({ id, url, events, active: true })));

		const { outputs, stored } = await runAction(sandbox, action, {
			parameters: endpoint('getAll', { limit: 2 }),
		});
		expect(outputs).toMatchObject([
			[
				{ json: { id: added[0]?.id }, pairedItem: { item: 0 } },
				{ json: { id: added[1]?.id }, pairedItem: { item: 0 } },
			],
		]);
		expectNoSecret(stored);
	});

	it('finds endpoints in the resource locator by a part of their URL', async () => {
		const [, second, third] = [add(action, '/one'), add(action, '/TWO'), add(action, '/two/old')];
		sandbox.changeEndpoint(provider, third?.id ?? '', { active: false });
		expect((await searchEndpoints(sandbox, action, endpoint('get'))).results).toHaveLength(3);
		expect(await searchEndpoints(sandbox, action, endpoint('get'), 'two')).toEqual({
			results: [
				{ name: `${action.events.join(', ')}: …pp.example.com/hooks/TWO`, value: second?.id },
				{
					name: `${action.events.join(', ')} (inactive): …xample.com/hooks/two/old`,
					value: third?.id,
				},
			],
		});
	});

	it('distinguishes endpoints of n8n in the list by the end of their URLs and their events', async () => {
		const path = '/webhook/0f1e2d3c-aaaa-bbbb-cccc-bd7f7f5d0a31/misar';
		sandbox.addEndpoint(provider, {
			url: `https://n8n.example.com${path}`,
			events: [...action.events, ...action.events.map((name) => `${name}.again`)],
		});
		const [found] = (await searchEndpoints(sandbox, action, endpoint('delete'), '0f1e2d3c'))
			.results;
		expect(found?.name).toBe(`${action.events.slice(0, 2).join(', ')} +2: …${path.slice(-24)}`);
	});

	it('calls the path given in the options instead of the default one', async () => {
		const { error } = await runAction(sandbox, action, {
			parameters: endpoint('getAll', { options: { apiPath: '/elsewhere/hooks' } }),
		});
		expect(sandbox.requests()).toMatchObject([
			{ method: 'GET', path: expect.stringMatching(/^\/elsewhere\/hooks(\?|$)/), status: 404 },
		]);
		expect(error).toMatchObject({ name: 'NodeApiError', httpCode: '404' });
		expect(error?.description).toMatch(/API Path/);
	});

	it('reads every parameter per item', async () => {
		const items = [1, 2, 3].map((number) => ({
			json: { url: `${URL_OF}/${number}`, event: events[number % 2] ?? '' },
		}));
		const { outputs } = await runAction(sandbox, action, {
			parameters: endpoint('create', { url: '={{ $json.url }}', events: '={{ [$json.event] }}' }),
			items,
		});
		expect(outputs).toMatchObject([
			items.map(({ json: { url, event } }, item) => ({
				json: { url, events: [event] },
				pairedItem: { item },
			})),
		]);
		expect(remote()).toHaveLength(3);
	});

	it('continues after a failed item if set to, and otherwise names the item', async () => {
		const call = {
			parameters: endpoint('create', { url: '={{ $json.url }}', events: [...events] }),
			items: [{ json: { url: `${URL_OF}/1` } }, { json: { url: 'http://127.0.0.1/' } }],
		};
		const stopped = await runAction(sandbox, action, call);
		const status = stopped.error?.httpCode;
		expect(stopped).toMatchObject({
			outputs: [],
			error: {
				name: 'NodeApiError',
				message: expect.stringContaining(`${action.title} did not accept`),
				context: { itemIndex: 1 },
			},
		});

		const third = { json: { url: `${URL_OF}/3` } };
		const items = [...call.items, third];
		const went = await runAction(sandbox, action, {
			...call,
			items,
			onError: 'continueRegularOutput',
		});
		expect(went.error).toBeUndefined();
		expect(went.outputs).toMatchObject([
			[
				{ json: { url: `${URL_OF}/1` }, pairedItem: { item: 0 } },
				{
					json: {
						error: `${action.title} did not accept the request (HTTP ${status})`,
						details: expect.stringMatching(/answered: .*url: must .*Correct what the answer names/),
						httpCode: status,
					},
					pairedItem: { item: 1 },
				},
				{ json: { url: `${URL_OF}/3` }, pairedItem: { item: 2 } },
			],
		]);

		const apart = await runAction(sandbox, action, {
			...call,
			items,
			onError: 'continueErrorOutput',
		});
		expect(apart.outputs).toMatchObject([
			[{ pairedItem: { item: 0 } }, { pairedItem: { item: 2 } }],
			// n8n sends nothing there that has further fields.
			[
				{
					json: {
						error: expect.stringContaining('did not accept'),
						message: expect.stringMatching(/answered: .*url: must/),
					},
				},
			],
		]);
	});

	it.each([
		['no URL', { url: '={{ $json.missing }}', events: ['*'] }, 'The parameter "url" is empty'],
		['no event', { url: URL_OF, events: [] }, 'No event is selected'],
		['events that are no names', { url: URL_OF, events: '={{ 7 }}' }, '"events" cannot be used'],
	])('creates nothing with %s', async (_, parameters, message) => {
		const { error } = await runAction(sandbox, action, {
			parameters: endpoint('create', parameters),
		});
		expect(error).toMatchObject({ name: 'NodeOperationError', context: { itemIndex: 0 } });
		expect(error?.message).toContain(message);
		expect(sandbox.requests()).toEqual([]);
	});

	it.each([0, -1, 2.5, 'many'])('lists nothing with the limit %p', async (limit) => {
		const { error } = await runAction(sandbox, action, {
			parameters: endpoint('getAll', { limit: '={{ $json.limit }}' }),
			items: [{ json: { limit } }],
		});
		expect(error?.message).toContain('The parameter "limit" cannot be used');
		expect(sandbox.requests()).toEqual([]);
	});
});

describe.each([misarMail, misarPost, mailPanda, metigan])(
	'$title, which updates endpoints',
	(action) => {
		const { provider, events } = action;
		const remote = () => sandbox.endpoints(provider);
		const createOrUpdate = (names: readonly string[] = events) => ({
			parameters: endpoint('createOrUpdate', { url: URL_OF, events: [...names] }),
		});

		it('creates or updates by URL, says which it did, and changes nothing the second time', async () => {
			add(action, '/another');
			const [created] = await runForData(sandbox, action, createOrUpdate());
			expect(created).toMatchObject({ url: URL_OF, events, active: true, result: 'created' });
			expect(remote()).toHaveLength(2);

			const before = remote();
			const sent = sandbox.requests().length;
			const [again] = await runForData(sandbox, action, createOrUpdate([...events].reverse()));
			expect(again).toMatchObject({ id: created?.['id'], result: 'unchanged' });
			expect(remote()).toEqual(before);
			expect(calls().slice(sent)).toEqual(['GET 200']);

			const [fewer] = await runForData(sandbox, action, createOrUpdate([events[1]]));
			expect(fewer).toMatchObject({ id: created?.['id'], events: [events[1]], result: 'updated' });
			expect(remote()[1]).toMatchObject({ events: [events[1]] });

			sandbox.changeEndpoint(provider, String(created?.['id']), { active: false });
			const [revived] = await runForData(sandbox, action, createOrUpdate([events[1]]));
			expect(revived).toMatchObject({ active: true, result: 'updated' });
			expect(remote()).toMatchObject([{ url: `${URL_OF}/another`, events }, { active: true }]);
		});

		it('updates URL, events and active flag, each alone or together', async () => {
			const { id } = add(action);
			const other = add(action, '/other');
			const update = async (updateFields: INodeParameters) =>
				await runForData(sandbox, action, {
					parameters: endpoint('update', { ...byId(id), updateFields }),
				});
			expect(await update({ active: false })).toEqual([{ id, active: false, updated: true }]);
			expect(remote()[0]).toMatchObject({ url: URL_OF, events, active: false });

			await update({ url: `${URL_OF}/moved`, events: [events[0]], active: true });
			expect(remote()[0]).toMatchObject({
				url: `${URL_OF}/moved`,
				events: [events[0]],
				active: true,
			});

			sandbox.setBehaviour(provider, { extraEvents: ['list.imported'] });
			await update({ customEvents: 'list.imported' });
			expect(remote()[0]).toMatchObject({ events: ['list.imported'] });
			expect(remote()[1]).toEqual(other);
		});

		it('requires at least one change', async () => {
			const { id } = add(action);
			const { error } = await runAction(sandbox, action, {
				parameters: endpoint('update', { ...byId(id), updateFields: {} }),
			});
			expect(error).toMatchObject({ name: 'NodeOperationError', context: { itemIndex: 0 } });
			expect(error?.message).toBe('There is nothing to update. Add a field under Update Fields.');
		});

		it('says when there is no such endpoint to update', async () => {
			const { error } = await runAction(sandbox, action, {
				parameters: endpoint('update', { ...byId('404404'), updateFields: { active: false } }),
			});
			expect(error?.message).toMatch(/has no endpoint 404404/);
			expect(error).toMatchObject({ context: { itemIndex: 0 } });
		});
	},
);

describe.each([misarMail, misarPost, mailPanda, metigan])(
	'$title, which deletes endpoints',
	(action) => {
		it('deletes the endpoint of each item, and no other', async () => {
			const [first, kept, third] = [add(action, '/1'), add(action, '/2'), add(action, '/3')];
			const { outputs } = await runAction(sandbox, action, {
				parameters: endpoint('delete', {
					endpoint: { __rl: true, mode: 'id', value: '={{ $json.id }}' },
				}),
				// A number, as Mail Panda shows ids, is an id as well.
				items: [first, third].map(({ id }) => ({
					json: { id: Number.isNaN(Number(id)) ? id : Number(id) },
				})),
			});
			expect(outputs).toEqual([
				[
					{ json: { deleted: true, id: first.id }, pairedItem: { item: 0 } },
					{ json: { deleted: true, id: third.id }, pairedItem: { item: 1 } },
				],
			]);
			expect(sandbox.endpoints(action.provider)).toEqual([kept]);
		});

		it('deletes the endpoint chosen in the resource locator, and says if there is none', async () => {
			add(action);
			const { results } = await searchEndpoints(sandbox, action, endpoint('delete'));
			const [chosen] = results;
			const call = {
				parameters: endpoint('delete', {
					endpoint: { __rl: true, mode: 'list', value: chosen?.value ?? '' },
				}),
			};
			const id = chosen?.value;
			const absent = {
				deleted: false,
				id,
				reason: `${action.title} has no endpoint ${id}. Endpoint → Get Many lists those that it has.`,
			};
			expect(await runForData(sandbox, action, call)).toEqual([{ deleted: true, id }]);
			expect(await runForData(sandbox, action, call)).toEqual([absent]);
			const gone = { kind: 'status', status: 410, method: 'DELETE' } as const;
			sandbox.fault({ ...gone, provider: action.provider });
			expect(await runForData(sandbox, action, call)).toEqual([absent]);
		});

		it('counts an endpoint as deleted if the delete took effect and only its answer was lost', async () => {
			const { id } = add(action);
			sandbox.fault({ provider: action.provider, kind: 'drop', when: 'after', method: 'DELETE' });
			const parameters = endpoint('delete', byId(id));
			expect(await runForData(sandbox, action, { parameters })).toEqual([{ deleted: true, id }]);
			expect(sandbox.endpoints(action.provider)).toEqual([]);
		});

		it('requires an endpoint', async () => {
			const { error } = await runAction(sandbox, action, {
				parameters: endpoint('delete', byId('={{ $json.missing }}')),
			});
			expect(error).toMatchObject({ context: { itemIndex: 0 } });
			expect(error?.message).toMatch(/No endpoint is chosen/);
			expect(sandbox.requests()).toEqual([]);
		});
	},
);

describe.each([misarReach, misarPost])('$title without a call to delete', (action) => {
	it.each([404, 405] as const)('says where to remove the endpoint (%i)', async (status) => {
		sandbox.setBehaviour(action.provider, { deleteOffered: false, deleteMissingStatus: status });
		const { id } = add(action);
		const { error } = await runAction(sandbox, action, {
			parameters: endpoint('delete', byId(id)),
		});
		expect(error).toMatchObject({ name: 'NodeOperationError', context: { itemIndex: 0 } });
		expect(error?.message).toBe(
			`${action.title} offers no call to delete a webhook endpoint. Remove endpoint ${id} in its dashboard, where webhooks are set up.`,
		);
		expect(sandbox.endpoints(action.provider)).toHaveLength(1);
	});

	const updates = action === misarPost ? [] : ['update', 'createOrUpdate'];
	it.each(['get', 'test', ...updates])(
		'does not attempt %s, which it does not offer',
		async (operation) => {
			const { error } = await runAction(sandbox, action, {
				parameters: endpoint(operation, { ...byId('wh_1'), url: URL_OF, events: ['*'] }),
			});
			expect(error?.message).toBe(
				`${action.title} has no API for "${operation} endpoint". Choose another product or operation.`,
			);
			expect(sandbox.requests()).toEqual([]);
		},
	);
});

describe.each([misarMail, metigan])('$title, which retrieves one endpoint', (action) => {
	it('gets it', async () => {
		const { id } = add(action);
		add(action, '/other');
		const { outputs, stored } = await runAction(sandbox, action, {
			parameters: endpoint('get', byId(id)),
		});
		expect(outputs).toMatchObject([
			[{ json: { id, url: URL_OF, events: action.events, active: true }, pairedItem: { item: 0 } }],
		]);
		expectNoSecret(stored);
		expect(calls()).toEqual(['GET 200']);
	});

	it('says which endpoint is missing', async () => {
		const { error } = await runAction(sandbox, action, {
			parameters: endpoint('get', byId('wh_gone')),
		});
		expect(error).toMatchObject({
			name: 'NodeApiError',
			httpCode: '404',
			context: { itemIndex: 0 },
		});
		expect(error?.message).toMatch(/no endpoint wh_gone/);
		expect(error?.description).toMatch(/from the list/);
	});
});

describe('Misar Mail', () => {
	it('outputs the issued secret if it issues one', async () => {
		sandbox.setBehaviour('misar.mail', { secretMode: 'issue', createShape: 'successData' });
		const [created] = await runForData(sandbox, misarMail, {
			parameters: endpoint('create', {
				url: URL_OF,
				events: ['email.opened'],
				options: { includeSecret: true },
			}),
		});
		expect(created?.['signingSecret']).toBe(sandbox.endpoints('misar.mail')[0]?.secret);
	});

	it.each(['create', 'createOrUpdate'])(
		'signs a new endpoint with the secret of the credential: %s',
		async (operation) => {
			const apiKey = sandbox.keys['misar.mail'];
			const [created] = await runForData(sandbox, misarMail, {
				parameters: endpoint(operation, { url: URL_OF, events: ['email.opened'] }),
				credential: { apiKey, signingSecret: SECRET },
			});
			expect(sandbox.endpoints('misar.mail')).toMatchObject([{ secret: SECRET }]);
			expect(JSON.stringify(created)).not.toContain(SECRET);
		},
	);

	it.each(['create', 'getAll', 'get', 'delete'])(
		'falls back to the other documented path for the operation %s',
		async (operation) => {
			sandbox.setBehaviour('misar.mail', { paths: 'unversioned' });
			const { id } = add(misarMail);
			const { error } = await runAction(sandbox, misarMail, {
				parameters: endpoint(operation, { ...byId(id), url: `${URL_OF}/new`, events: ['*'] }),
			});
			expect(error).toBeUndefined();
			expect(sandbox.endpoints('misar.mail')).toHaveLength(
				{ create: 2, delete: 0 }[operation] ?? 1,
			);
		},
	);

	it.each([
		['Send Test', endpoint('test'), { kind: 'status', method: 'POST' }],
		[
			'Deliveries',
			{ resource: 'delivery', operation: 'getAll', returnAll: true },
			{ kind: 'status', method: 'GET' },
		],
	] as const)('passes on no secret that the provider repeats: %s', async (_, parameters, fault) => {
		const secrets = {
			signingSecret: 'whsec_now_0123456789',
			previousSigningSecret: 'whsec_before_0123456789',
			password: 'of the other way to sign in',
		};
		const apiKey = sandbox.keys['misar.mail'];
		const known = [apiKey, ...Object.values(secrets)];
		const attempt = {
			status_code: 500,
			Signing_Secret: 'whsec_that_nobody_here_knows',
			request: { headers: { authorization: `Bearer ${apiKey}`, 'X-Webhook-Secret': 'abc' } },
			response_body: known.join(' and '),
		};
		const body = fault.method === 'GET' ? [attempt] : attempt;
		sandbox.fault({ ...fault, provider: 'misar.mail', status: 200, body });
		const [item] = await runForData(sandbox, misarMail, {
			parameters: { ...parameters, ...byId('wh_1') },
			credential: secrets,
		});
		expect(fault.method === 'GET' ? item : item?.['answer']).toEqual({
			status_code: 500,
			request: { headers: { authorization: 'Bearer ***' } },
			response_body: '*** and *** and *** and ***',
		});
	});

	it('counts every attempt that was not answered with 2xx as failed', async () => {
		const codes = [199, 200, 204, 299, 300, 302, 404, 500];
		const body = codes.map((code) => ({ status_code: code }));
		const fault = { kind: 'status', status: 200, method: 'GET', body } as const;
		sandbox.fault({ ...fault, provider: 'misar.mail' });
		const failed = await runForData(sandbox, misarMail, {
			parameters: {
				resource: 'delivery',
				operation: 'getAll',
				returnAll: true,
				failedOnly: true,
				...byId('wh_1'),
			},
		});
		expect(failed.map((attempt) => attempt['status_code'])).toEqual([199, 300, 302, 404, 500]);

		// The limit counts the returned attempts, not those that were read.
		sandbox.fault({ ...fault, provider: 'misar.mail' });
		const last = await runForData(sandbox, misarMail, {
			parameters: {
				resource: 'delivery',
				operation: 'getAll',
				limit: 3,
				failedOnly: true,
				...byId('wh_1'),
			},
		});
		expect(last.map((attempt) => attempt['status_code'])).toEqual([199, 300, 302]);
	});

	describe('with a receiver at the webhook URL', () => {
		let receiver: Server;
		beforeAll(async () => {
			receiver = createServer((request, response) => {
				response.writeHead(request.url?.includes('broken') ? 500 : 200).end();
				request.resume();
			});
			await listen(receiver);
		});
		afterAll(async () => await stop(receiver));
		const route = () => sandbox.setRoute('https://app.example.com', originOf(receiver));

		it('sends a test, and passes on what the provider says of it', async () => {
			route();
			const [fine, broken] = [add(misarMail), add(misarMail, '/broken')];
			const test = async (id: string) =>
				await runForData(sandbox, misarMail, { parameters: endpoint('test', byId(id)) });
			expect(await test(fine.id)).toEqual([{ sent: true, id: fine.id, answer: { success: true } }]);
			expect(await test(broken.id)).toMatchObject([{ answer: { success: false } }]);
			expect(sandbox.deliveries()).toMatchObject([
				{ endpointId: fine.id, state: 'delivered' },
				{ endpointId: broken.id, state: 'failed' },
			]);
		});

		it.each([
			['drop', 'before'],
			['drop', 'after'],
			['html', 'before'],
			['html', 'after'],
			['truncate', 'after'],
		] as const)(
			'sends a test once if its answer is lost: %s, %s it is sent',
			async (kind, when) => {
				route();
				const { id } = add(misarMail);
				sandbox.fault({ kind, when, provider: 'misar.mail', method: 'POST', path: /\/test$/ });
				const { error } = await runAction(sandbox, misarMail, {
					parameters: endpoint('test', byId(id)),
				});
				expect(error).toMatchObject({
					name: 'NodeApiError',
					description: expect.stringMatching(/It may have taken effect/),
				});
				expect(sandbox.requests().filter(({ method }) => method === 'POST')).toHaveLength(1);
				expect(sandbox.deliveries()).toHaveLength(when === 'after' ? 1 : 0);
			},
		);

		it('sends a test again if the first was refused without being carried out', async () => {
			route();
			const { id } = add(misarMail);
			sandbox.fault({ kind: 'rateLimit', provider: 'misar.mail', headers: { 'retry-after': '0' } });
			expect(
				await runForData(sandbox, misarMail, { parameters: endpoint('test', byId(id)) }),
			).toMatchObject([{ sent: true }]);
			expect(sandbox.deliveries()).toHaveLength(1);
		});

		it('lists delivery attempts, all or only the failed ones, up to a limit', async () => {
			route();
			const [fine, broken] = [add(misarMail), add(misarMail, '/broken')];
			for (const { id: endpointId } of [fine, fine, fine, broken]) {
				await sandbox.fire({
					provider: 'misar.mail',
					event: 'email.opened',
					endpointId,
					retry: false,
				});
			}
			// One that worked at the endpoint that is broken.
			sandbox.changeEndpoint('misar.mail', broken.id, { url: URL_OF });
			await sandbox.fire({
				provider: 'misar.mail',
				event: 'email.opened',
				endpointId: broken.id,
				retry: false,
			});
			const list = async (id: string, more: INodeParameters) => {
				const { outputs, stored } = await runAction(sandbox, misarMail, {
					parameters: { resource: 'delivery', operation: 'getAll', ...byId(id), ...more },
				});
				expectNoSecret(stored);
				return outputs[0]?.map(({ json, pairedItem }) => [json['status_code'], pairedItem]);
			};
			const pairedItem = { item: 0 };
			expect(await list(fine.id, { returnAll: true })).toHaveLength(3);
			expect(await list(fine.id, { limit: 2 })).toHaveLength(2);
			expect(await list(fine.id, { returnAll: true, failedOnly: true })).toEqual([]);
			expect(await list(broken.id, { returnAll: true })).toHaveLength(2);
			expect(await list(broken.id, { failedOnly: true })).toEqual([[500, pairedItem]]);
		});
	});
});

describe('Mail Panda', () => {
	it.each(['query', 'body', 'path'] as const)(
		'updates and deletes with the ID in the %s',
		async (manageStyle) => {
			sandbox.setBehaviour('mailPanda', { manageStyle });
			const { id } = add(mailPanda);
			const kept = add(mailPanda, '/kept');
			await runForData(sandbox, mailPanda, {
				parameters: endpoint('update', { ...byId(id), updateFields: { active: false } }),
			});
			expect(sandbox.endpoints('mailPanda')).toMatchObject([{ id, active: false }, kept]);
			await runForData(sandbox, mailPanda, { parameters: endpoint('delete', byId(id)) });
			expect(sandbox.endpoints('mailPanda')).toEqual([kept]);
		},
	);

	it('does the same with email and password', async () => {
		const credential = { ...sandbox.login, authentication: 'session', apiKey: '' };
		const [created] = await runForData(sandbox, mailPanda, {
			credential,
			parameters: endpoint('create', { url: URL_OF, events: ['bounce'] }),
		});
		const { stored, outputs } = await runAction(sandbox, mailPanda, {
			credential,
			parameters: endpoint('getAll'),
		});
		expect(outputs).toMatchObject([[{ json: created }]]);
		expect(stored).not.toContain(sandbox.login.password);
	});

	it.each([mailPanda, misarPost])('offers no update if $title has none', async (action) => {
		sandbox.setBehaviour(action.provider, { updateMethods: 'none' });
		const { id } = add(action);
		const { error } = await runAction(sandbox, action, {
			parameters: endpoint('update', { ...byId(id), updateFields: { active: false } }),
		});
		expect(error?.message).toMatch(/or no call to update it/);
	});

	it('records an event of another mail provider', async () => {
		const { outputs } = await runAction(sandbox, mailPanda, {
			parameters: {
				resource: 'event',
				operation: 'record',
				eventType: '={{ $json.type }}',
				emailId: '={{ $json.email }}',
				additionalFields: {
					recipient: 'ada@example.com',
					timestamp: '2026-01-10T14:00:00+02:00',
				},
			},
			items: [
				{ json: { type: 'email.bounced', email: 'msg_1' } },
				{ json: { type: 'email.opened', email: 'msg_2' } },
			],
		});
		const sent = (type: string, emailId: string) => ({
			type,
			email_id: emailId,
			recipient: 'ada@example.com',
			timestamp: '2026-01-10T12:00:00.000Z',
		});
		const bodies = [sent('email.bounced', 'msg_1'), sent('email.opened', 'msg_2')];
		expect(outputs).toEqual([
			bodies.map((body, item) => ({ json: { recorded: true, ...body }, pairedItem: { item } })),
		]);
		expect(sandbox.requests()).toMatchObject(
			bodies.map((body) => ({ method: 'POST', path: '/api/webhooks', status: 200, body })),
		);
	});

	it.each([
		['2026-01-10T14:00:00', 'without a zone'],
		['={{ DateTime.fromISO($json.time) }}', 'of an expression'],
	])('reads the time %s %s in the workflow’s zone, if it has none', async (timestamp) => {
		await runForData(sandbox, mailPanda, {
			parameters: {
				resource: 'event',
				operation: 'record',
				eventType: 'email.opened',
				emailId: 'msg_1',
				additionalFields: { timestamp },
			},
			items: [{ json: { time: '2026-01-10T05:00:00Z' } }],
			timezone: 'Asia/Tokyo',
		});
		expect(sandbox.requests()).toMatchObject([{ body: { timestamp: '2026-01-10T05:00:00.000Z' } }]);
	});

	it('records nothing if the time is invalid', async () => {
		const { error } = await runAction(sandbox, mailPanda, {
			parameters: {
				resource: 'event',
				operation: 'record',
				eventType: 'email.opened',
				emailId: 'msg_1',
				additionalFields: { timestamp: 'yesterday' },
			},
		});
		expect(error?.message).toContain('"yesterday" is not a time');
		expect(sandbox.requests()).toEqual([]);
	});
});

describe('The product of the Misar node', () => {
	it('has to be a known one', async () => {
		const { error } = await runAction(sandbox, misarMail, {
			parameters: endpoint('getAll', { product: 'nope' }),
		});
		expect(error?.message).toMatch(/^There is no product "nope"/);
		expect(sandbox.requests()).toEqual([]);
	});

	it.each(['dev', 'ai', 'ink'])(
		'%s has signatures, but no endpoints to manage',
		async (product) => {
			const { error } = await runAction(sandbox, misarMail, {
				parameters: endpoint('getAll', { product }),
			});
			expect(error?.message).toMatch(/has no API for "getAll endpoint"/);
			expect(error).toMatchObject({ context: { itemIndex: 0 } });
			expect(await searchEndpoints(sandbox, misarMail, { product })).toEqual({ results: [] });
			expect(sandbox.requests()).toEqual([]);
		},
	);
});

describe('A credential of another product', () => {
	const credential = { product: 'ink', signingSecret: SECRET };
	const message =
		'This credential is for Misar.Ink, but this node is for Misar Mail. Choose a Misar Mail credential.';
	const payload = { payloadSource: 'text', payload: '{}', signatureScheme: 'platform' };

	it.each<[string, INodeParameters]>([
		['Get Many', endpoint('getAll')],
		['Create', endpoint('create', { url: URL_OF, events: ['*'] })],
		['Delete', endpoint('delete', byId('wh_1'))],
		['Deliveries', { resource: 'delivery', operation: 'getAll', ...byId('wh_1') }],
		['Sign', { resource: 'signature', operation: 'sign', ...payload }],
		['Verify', { resource: 'signature', operation: 'verify', headers: '{}', ...payload }],
	])('is refused by %s', async (_, parameters) => {
		const { error } = await runAction(sandbox, misarMail, { parameters, credential });
		expect(error?.message).toBe(message);
		expect(error).toMatchObject({ context: { itemIndex: 0 } });
		expect(sandbox.requests()).toEqual([]);
	});

	it('is refused by the list of endpoints', async () => {
		await expect(
			searchEndpoints(sandbox, misarMail, endpoint('get'), '', credential),
		).rejects.toThrow(message);
		expect(sandbox.requests()).toEqual([]);
	});
});

describe('Return All', () => {
	it.each(nodesUnderTest)('lists 1,000 endpoints of $title in one run', async (action) => {
		for (let number = 0; number < 1000; number++) add(action, `/${number}`);
		const { outputs } = await runAction(sandbox, action, {
			parameters: endpoint('getAll', { returnAll: true }),
		});
		const urls = outputs[0]?.map(({ json }) => json['url']);
		expect(urls).toEqual(Array.from({ length: 1000 }, (_, number) => `${URL_OF}/${number}`));
		expect(outputs[0]?.every(({ pairedItem }) => pairedItem !== undefined)).toBe(true);
		// Metigan pages, and says which page is the last.
		expect(calls()).toHaveLength(action === metigan ? 10 : 1);
		expect((await searchEndpoints(sandbox, action, endpoint('get'), '/999')).results).toHaveLength(
			1,
		);
	});

	it.each([
		[1, 1],
		[50, 1],
		[100, 1],
		[101, 2],
		[250, 3],
	])('asks no more of Metigan than a limit of %i needs', async (limit, requests) => {
		for (let number = 0; number < 260; number++) add(metigan, `/${number}`);
		const listed = await runForData(sandbox, metigan, {
			parameters: endpoint('getAll', { limit }),
		});
		expect(listed.map(({ url }) => url)).toEqual(
			Array.from({ length: limit }, (_, number) => `${URL_OF}/${number}`),
		);
		expect(calls()).toHaveLength(requests);
	});
});

it('a node calls the API with the credential of each item if that is an expression', async () => {
	const keys = [sandbox.keys['misar.mail'], 'msk_of_nobody', sandbox.keys['misar.mail']];
	const { outputs } = await runAction(sandbox, misarMail, {
		parameters: endpoint('getAll', { returnAll: true }),
		credential: { apiKey: '={{ $json.key }}' },
		items: keys.map((key) => ({ json: { key } })),
		onError: 'continueRegularOutput',
	});
	expect(calls()).toEqual(['GET 200', 'GET 401', 'GET 200']);
	expect(outputs.flat()).toMatchObject([{ json: { error: expect.stringContaining('HTTP 401') } }]);
});
