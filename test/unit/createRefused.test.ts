import { expect, it } from '@jest/globals';
import { NodeApiError, type INode } from 'n8n-workflow';

import { metigan } from '../../nodes/Metigan/provider';
import { EndpointApi, webhookApiOf } from '../../nodes/shared/api/endpoints';
import { ApiClient, type ApiContext } from '../../nodes/shared/api/request';

/** What the answer to a refused create says about existing endpoints. */

const node = { id: 'node', name: 'Trigger', type: 'trigger', typeVersion: 1 } as INode;
/** JSON of this depth can be parsed, but not serialised. */
const DEEP: unknown = JSON.parse(`${'{"error":'.repeat(20_000)}1${'}'.repeat(20_000)}`);

const notes = (constructor: unknown) => ({ details: { fieldErrors: { constructor } } });

it.each<[string, unknown, boolean]>([
	['there is one with its URL', { error: 'This URL is already registered' }, true],
	['its URL is wrong', { error: 'Invalid URL' }, false],
	['nothing that could be written out', DEEP, false],
	['nothing about a field called constructor', notes(null), false],
	['what a field called constructor already has', notes(['already registered']), true],
])('the answer to a refused create is understood: %s', async (_what, body, refusedBeside) => {
	const [provider] = metigan;
	if (provider === undefined) throw new Error('Metigan has a product');
	const httpRequestWithAuthentication = async () => ({ statusCode: 400, headers: {}, body });
	const context = { helpers: { httpRequestWithAuthentication }, getNode: () => node };
	const client = new ApiClient(context as never as ApiContext, provider, {
		baseUrl: 'https://api.example.com',
		secrets: [],
		decrypted: {},
	});
	const management = webhookApiOf(provider);
	const { paths, itemStyles } = management;
	const access = { paths, itemStyles, secrets: [], installation: {} };
	const api = new EndpointApi(client, management, access);
	const created = api.create({ url: 'https://n8n.example.com/hook', events: ['email.sent'] });
	expect(await created).toEqual({
		failure: expect.any(NodeApiError),
		lost: false,
		refusedBeside,
	});
});
