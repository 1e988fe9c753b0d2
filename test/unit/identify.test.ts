import { describe, expect, it } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';

import { recovery as metigan } from '../../nodes/Metigan/recovery';
import { recovery as misarBlog } from '../../nodes/MisarBlog/recovery';
import type { RecoveryApi } from '../../nodes/shared/recoveryApi';
import { deliveredKeys, keysAround, recoveredKeys } from '../../nodes/shared/recovery/identity';

/** Whether an event of a list and one of a delivery are the same, by the keys that each stores and looks up. */

const AT = Date.parse('2026-03-01T12:00:00Z');
const MINUTE_MS = 60_000;

interface Known {
	readonly data: IDataObject;
	readonly minutes?: number;
	readonly deliveryId?: string;
}

/** @param base minutes after `AT` that are added to both: their place within a period must not matter */
function isSame(
	api: RecoveryApi,
	event: string,
	listed: Known,
	delivered: Known,
	base = 0,
): boolean {
	const identityOf = ({ data, minutes = 0, deliveryId }: Known) => {
		const at = AT + (base + minutes) * MINUTE_MS;
		const identity = api.identify({ event, at, data, deliveryId });
		if (identity === undefined) throw new Error('no event of the list');
		return identity;
	};
	const left = deliveredKeys(identityOf(delivered));
	return keysAround(identityOf(listed)).some((key) => left.includes(key));
}

const to = (recipient: string, more: IDataObject = {}) => ({ recipient, ...more });

describe('a bounce in the list and a delivery', () => {
	const listed = { data: to('ada@example.com', { messageId: 'm1' }) };
	const unnamed = { data: to('ada@example.com') };
	const id = 'email.bounced:m1:1772366400000:0123456789abcdef';

	it.each<[string, Known, Known, boolean]>([
		[
			'with one message id, hours apart',
			listed,
			{ ...unnamed, minutes: 300, deliveryId: id },
			true,
		],
		['with a message id in the data', listed, { ...listed, minutes: 300 }, true],
		[
			'with a time that was text',
			listed,
			{ ...unnamed, minutes: 300, deliveryId: 'email.bounced:m1:0123456789abcdef' },
			true,
		],
		[
			'with a colon in the message id',
			{ data: to('ada@example.com', { messageId: '<a:b@c>' }) },
			{
				...unnamed,
				minutes: 300,
				deliveryId: 'email.bounced:<a:b@c>:1772366400000:0123456789abcdef',
			},
			true,
		],
		['without a message id, five minutes later', unnamed, { ...unnamed, minutes: 5 }, true],
		['without a message id, five minutes earlier', unnamed, { ...unnamed, minutes: -5 }, true],
		['with a message id in the list alone', listed, { ...unnamed, minutes: 3 }, true],
		[
			'with a message id in the delivery alone',
			unnamed,
			{ ...unnamed, minutes: 3, deliveryId: id },
			true,
		],
		['in other letters', listed, { data: to(' ADA@Example.com '), minutes: 3 }, true],
		[
			'with a name before the address',
			listed,
			{ data: to('Ada <ada@example.com>'), minutes: 3 },
			true,
		],
		['of another address', listed, { data: to('bob@example.com', { messageId: 'm1' }) }, false],
		['an hour apart', unnamed, { ...unnamed, minutes: 60 }, false],
	])('%s', (_, one, other, same) => {
		for (const base of [0, 2, 5, 8]) {
			expect(isSame(metigan, 'email.bounced', one, other, base)).toBe(same);
		}
	});

	it('are different if their events are', () => {
		const keys = ['email.bounced', 'email.complained'].map((event) => {
			const identity = metigan.identify({ event, at: AT, data: listed.data });
			return identity === undefined ? [] : keysAround(identity);
		});
		expect(keys[0]?.filter((key) => keys[1]?.includes(key))).toEqual([]);
	});
});

it('an unsubscribe in the list is matched with a delivery hours apart from it', () => {
	const data = { email: 'ada@example.com' };
	const isSameAfter = (minutes: number, base: number) =>
		isSame(metigan, 'email.unsubscribed', { data }, { data, minutes }, base);
	for (const base of [0, 300, 720, 1_100]) {
		expect(isSameAfter(700, base)).toBe(true);
		expect(isSameAfter(3_000, base)).toBe(false);
	}
});

describe('an article in the list and a delivery', () => {
	const article = (published_at: unknown, id: unknown = 'a1') =>
		({ article: { id, published_at } }) as IDataObject;
	const listed = { data: article('2026-03-01T12:00:00Z') };

	it.each<[string, Known, boolean]>([
		['with milliseconds', { data: article('2026-03-01T12:00:00.789Z'), minutes: 99 }, true],
		['with another zone', { data: article('2026-03-01T14:00:00+02:00'), minutes: 99 }, true],
		['without a zone', { data: article('2026-03-01 12:00:00'), minutes: 99 }, true],
		['without a time of its own', { data: article(null), minutes: 1 }, true],
		['that was published again', { data: article('2026-03-02T12:00:00Z') }, false],
		['of another article', { data: article('2026-03-01T12:00:00Z', 'a2') }, false],
	])('%s', (_, delivered, same) => {
		expect(isSame(misarBlog, 'article.published', listed, delivered)).toBe(same);
	});

	it('are not matched without an ID', () => {
		expect(
			misarBlog.identify({ event: 'article.published', at: AT, data: { id: 'a1' } }),
		).toBeUndefined();
	});
});

it('the table of processed events gets one or two entries per delivery, and up to five per recovered event', () => {
	const nameless = { about: 'a', at: AT, toleranceMs: MINUTE_MS };
	for (const [identity, entries, recovered] of [
		[{ own: 'o', ...nameless }, 2, 5],
		[nameless, 1, 3],
	] as const) {
		expect(deliveredKeys(identity)).toHaveLength(entries);
		expect([...keysAround(identity), ...recoveredKeys(identity)]).toHaveLength(recovered);
	}
});
