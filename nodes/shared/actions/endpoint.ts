import { tryToParseDateTime, type IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { limitSchema, namesSchema, readParameter, type ActionItem } from './parameter';
import { endpointIdSchema, type RemoteEndpoint } from '../api/endpointAnswer';
import type { EndpointApi } from '../api/endpoints';
import { isJsonObject } from '../jsonObject';
import type { ManagementApi, Provider } from '../provider';
import { sameUrl } from '../registration/webhookUrl';
import { settingsError } from '../errors';
import { sameEvents, eventsToRegister, namesIn } from '../events';

/** One item of an action node, with what its operation works on. */
export interface EndpointCall extends ActionItem {
	readonly provider: Provider;
	readonly management: ManagementApi;
	readonly api: EndpointApi;
}

type EndpointAction = (call: EndpointCall) => Promise<IDataObject[]>;

const valuesSchema = z.object({
	url: z.string().trim().optional(),
	events: namesSchema.optional(),
	customEvents: z.string().default(''),
	active: z.boolean().optional(),
});

const additionalSchema = z.object({
	recipient: z.string().optional(),
	timestamp: z.string().optional(),
});

/**
 * What an operation of the resources Endpoint, Delivery or Event does for one item.
 * @returns undefined where the API does not have it, e.g. after the product was changed
 */
export function offeredAction(
	api: ManagementApi,
	resource: string,
	operation: string,
): EndpointAction | undefined {
	const name = `${resource}.${operation}`;
	const needed = NEEDED[name];
	return needed === undefined || needed(api) !== undefined ? ACTIONS[name] : undefined;
}

/** What an action cannot do without, beyond list and create. */
const NEEDED: Readonly<Record<string, (api: ManagementApi) => string | undefined>> = {
	'delivery.getAll': ({ operations }) => operations.deliveries,
	'endpoint.createOrUpdate': ({ operations }) => operations.update,
	'endpoint.delete': ({ operations }) => operations.delete,
	'endpoint.get': ({ operations }) => operations.get,
	'endpoint.test': ({ operations }) => operations.test,
	'endpoint.update': ({ operations }) => operations.update,
	'event.record': ({ inboundPath }) => inboundPath,
};

const ACTIONS: Readonly<Record<string, EndpointAction>> = {
	'endpoint.create': async (call) => [await create(call, text(call, 'url'))],

	/** By URL: run twice, the second run changes nothing and says so. */
	'endpoint.createOrUpdate': async (call) => {
		const url = text(call, 'url');
		const existing = (await call.api.list()).find(
			(endpoint) => endpoint.url !== undefined && sameUrl(endpoint.url, url),
		);
		if (existing === undefined) return [{ ...(await create(call, url)), result: 'created' }];

		const events = selectedEvents(call);
		if (existing.active && sameEvents(call.provider, existing.events ?? [], events)) {
			return [{ ...asOutput(existing), result: 'unchanged' }];
		}
		await update(call, existing.id, { events, active: true });
		return [{ ...asOutput({ ...existing, events, active: true }), result: 'updated' }];
	},

	'endpoint.delete': async (call) => {
		const id = endpointId(call);
		if (await call.api.remove(id)) return [{ deleted: true }];
		throw settingsError(
			call.context,
			`${call.provider.displayName} offers no call to delete a webhook endpoint`,
			`Remove endpoint ${id} in its dashboard, where webhooks are set up`,
		);
	},

	'endpoint.get': async (call) => [asOutput(await call.api.get(endpointId(call)))],

	'endpoint.getAll': async (call) => {
		const all = call.context.getNodeParameter('returnAll', call.itemIndex) === true;
		const limit = all ? undefined : readParameter(call, 'limit', limitSchema);
		return (await call.api.list(limit)).map(asOutput);
	},

	'endpoint.test': async (call) => {
		const id = endpointId(call);
		const answer = await call.api.test(id);
		return [{ sent: true, id, answer: isJsonObject(answer) ? toData(answer) : {} }];
	},

	'endpoint.update': async (call) => {
		const id = endpointId(call);
		const values = readParameter(call, 'updateFields', valuesSchema, {});
		const { customEvents, events, ...fields } = values;
		const names = withCustom(call, events ?? [], customEvents);
		const changes = { ...fields, ...(names.length === 0 ? {} : { events: names }) };
		if (Object.keys(changes).length === 0) {
			throw settingsError(
				call.context,
				'There is nothing to update',
				'Add a field under Update Fields',
			);
		}
		await update(call, id, changes);
		return [{ id, ...changes, updated: true }];
	},

	'delivery.getAll': async (call) => {
		const { context, itemIndex } = call;
		const attempts = await call.api.deliveries(endpointId(call));
		const failedOnly = context.getNodeParameter('failedOnly', itemIndex, false) === true;
		const wanted = failedOnly ? attempts.filter(hasFailed) : attempts;
		const all = context.getNodeParameter('returnAll', itemIndex) === true;
		const limit = all ? wanted.length : readParameter(call, 'limit', limitSchema);
		return wanted.slice(0, limit).map(toData);
	},

	'event.record': async (call) => {
		const optional = readParameter(call, 'additionalFields', additionalSchema, {});
		const event = {
			type: text(call, 'eventType'),
			email_id: text(call, 'emailId'),
			...(optional.recipient ? { recipient: optional.recipient } : {}),
			...(optional.timestamp ? { timestamp: isoTime(call, optional.timestamp) } : {}),
		};
		await call.api.record(call.management.inboundPath ?? '', event);
		return [{ recorded: true, ...event }];
	},
};

async function create(call: EndpointCall, url: string): Promise<IDataObject> {
	const { context, itemIndex, management, api } = call;
	const secret =
		management.sendsSecret === 'never' ? '' : readParameter(call, 'signingSecret', z.string(), '');
	const outcome = await api.create({
		url,
		events: selectedEvents(call),
		...(secret === '' ? {} : { secret }),
	});
	if ('failure' in outcome) throw outcome.failure;
	const include = context.getNodeParameter('includeSecret', itemIndex, false) === true;
	const issued = outcome.endpoint.secret ?? (secret === '' ? undefined : secret);
	return {
		...asOutput(outcome.endpoint),
		...(include && issued !== undefined ? { signingSecret: issued } : {}),
	};
}

async function update(
	{ context, api, provider }: EndpointCall,
	id: string,
	changes: { url?: string | undefined; events?: string[]; active?: boolean | undefined },
): Promise<void> {
	const { url, events, active } = changes;
	const updated = await api.update(id, {
		...(url === undefined ? {} : { url }),
		...(events === undefined ? {} : { events }),
		...(active === undefined ? {} : { active }),
	});
	if (updated !== 'notServed') return;
	throw settingsError(
		context,
		`${provider.displayName} has no endpoint ${id}, or no call to update it`,
		'Choose an endpoint from the list; or delete it and create a new one',
	);
}

/** An endpoint as an item: the provider's own fields are few, so there is nothing to simplify. */
function asOutput({ id, url, events, active, createdAt }: RemoteEndpoint): IDataObject {
	return {
		id,
		url: url ?? null,
		events: events === undefined ? null : [...events],
		active,
		...(createdAt === undefined ? {} : { createdAt }),
	};
}

function selectedEvents(call: EndpointCall): string[] {
	const { context, provider } = call;
	const events = readParameter(call, 'events', namesSchema, []);
	const custom = readParameter(call, 'customEvents', z.string(), '');
	const names = withCustom(call, events, custom);
	if (names.length > 0) return names;
	throw settingsError(
		context,
		'No event is selected',
		`Choose at least one event of ${provider.displayName}, or add a name under Custom Events`,
	);
}

function withCustom({ provider }: EndpointCall, events: string[], custom: string): string[] {
	const named = events.filter((name) => name !== '');
	return eventsToRegister(provider, [...named, ...namesIn(custom)]);
}

function endpointId({ context, itemIndex }: EndpointCall): string {
	const value = context.getNodeParameter('endpoint', itemIndex, '', { extractValue: true });
	const id = endpointIdSchema.safeParse(typeof value === 'string' ? value.trim() : value);
	if (id.success) return id.data;
	throw settingsError(context, 'No endpoint is chosen', 'Choose one from the list or enter its ID');
}

function text({ context, itemIndex }: EndpointCall, name: string): string {
	const value = z
		.string()
		.trim()
		.min(1)
		.safeParse(context.getNodeParameter(name, itemIndex, ''));
	if (value.success) return value.data;
	throw settingsError(context, `The parameter "${name}" is empty`, 'Enter a value');
}

/** Mail Panda wants ISO 8601; n8n's date field yields a time of the workflow's zone, without a zone. */
function isoTime({ context }: EndpointCall, value: string): string {
	try {
		return tryToParseDateTime(value, context.getTimezone()).toJSDate().toISOString();
	} catch {
		throw settingsError(
			context,
			`The timestamp "${value}" is not a time`,
			'Enter an ISO 8601 time',
		);
	}
}

/** The log's fields are not documented: a status code or the words of one tell. */
function hasFailed(attempt: Record<string, unknown>): boolean {
	const { success, ok, error } = attempt;
	const code = [
		attempt['status_code'],
		attempt['statusCode'],
		attempt['response_status'],
		attempt['status'],
	]
		.map(Number)
		.find((value) => Number.isInteger(value));
	if (code !== undefined) return code < 200 || code > 299;
	if (typeof success === 'boolean') return !success;
	if (typeof ok === 'boolean') return !ok;
	return (typeof error === 'string' && error !== '') || attempt['status'] === 'failed';
}

function toData(value: Record<string, unknown>): IDataObject {
	return JSON.parse(JSON.stringify(value));
}
