import { describe, expect, it } from '@jest/globals';

import { buildDelivery, type ProviderId } from '../../sandbox';
import { readEvent } from '../../nodes/shared/delivery/event';
import { sampleItem } from '../../nodes/shared/delivery/sample';
import { isJsonObject } from '../../nodes/shared/jsonObject';
import { allProviders } from './allProviders';

/** The samples of events: complete, read without a warning, and shaped like what the sandbox sends. */

const rows = allProviders.flatMap((provider) =>
	provider.events.map(({ name }) => ({ provider, name, title: provider.displayName })),
);

/** The names of all fields, and the types of their values; entries of lists are alike. */
function shapeOf(value: unknown): unknown {
	if (Array.isArray(value)) return [shapeOf(value[0])];
	if (!isJsonObject(value)) return value === null ? 'null' : typeof value;
	return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]));
}

describe.each(rows)('the sample of $title’s $name', ({ provider, name }) => {
	const { body } = provider.sample(name);
	const shape = provider.envelope.shapes.find(({ mark }) => mark in body);

	it('is read as this event without a warning', () => {
		const headers = Object.fromEntries(provider.envelope.eventHeaders.map((one) => [one, name]));
		const read = readEvent(provider, body, headers);
		expect(read).toMatchObject({ name, warnings: [] });
		expect(read.occurredAt).toMatch(/^2026-01-15T09:30:00/);
	});

	it('has the same fields as what the sandbox sends', () => {
		const id: string =
			provider.product === undefined ? provider.id : `${provider.id}.${provider.product}`;
		const delivery = buildDelivery({
			provider: id as ProviderId,
			event: name,
			secret: 'whsec_of_this_test',
			...(provider.product === 'mail' && shape !== undefined ? { envelope: shape.id } : {}),
		});
		expect(shapeOf(body)).toEqual(shapeOf(JSON.parse(delivery.body.toString())));
	});

	it('always makes the same item, with and without details', () => {
		const simple = sampleItem(provider, name, true);
		const full = sampleItem(provider, name, false);
		expect(sampleItem(provider, name, true)).toEqual(simple);
		expect(full).toMatchObject({ ...simple, payload: body });
		expect(Object.keys(simple)).not.toContain('payload');
	});
});

it('there is a sample of each documented event of each provider', () => {
	expect(rows.length).toBe(allProviders.flatMap(({ events }) => events).length);
	expect(new Set(rows.map(({ title }) => title)).size).toBe(allProviders.length - 1);
});
