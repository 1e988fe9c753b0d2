import { describe, expect, it } from '@jest/globals';
import type { IDataObject } from 'n8n-workflow';

import { recovery as metigan } from '../../nodes/Metigan/recovery';
import { recovery as misarBlog } from '../../nodes/MisarBlog/recovery';
import type { RecoveryApi } from '../../nodes/shared/recoveryApi';
import { deliveredKeys, keysAround } from '../../nodes/shared/recovery/identity';

/** Lists in a form that is not documented: the event is the same as the delivered one. */

const AT = Date.parse('2026-01-02T03:04:05Z');
const TIMES = [
	'2026-01-02T03:04:05Z',
	'2026-01-02t03:04:05z',
	'2026-01-02 03:04:05',
	'Fri, 02 Jan 2026 03:04:05 GMT',
];

function pageOf({ page }: RecoveryApi, body: unknown) {
	return page({ since: 0, number: 0, offset: 0, size: 100 }).read(body);
}

function listed(api: RecoveryApi, body: unknown) {
	return pageOf(api, body)?.events ?? [];
}

it.each([metigan, misarBlog])(
	'a page of $noun has as many entries as it lists, whatever they are',
	(api) => {
		// A page without events would otherwise look like the end of the list.
		expect(pageOf(api, { data: [{ reason: 'manual' }, null, 'x'] })).toMatchObject({
			events: [],
			size: 3,
		});
	},
);

it.each([null, '12', -1, {}])('a total of %j leaves the list to be read to its end', (odd) => {
	const ofMetigan = (pagination: unknown) => pageOf(metigan, { data: ['x'], pagination });
	const ofBlog = [
		{ data: ['x'], total: odd },
		{ articles: ['x'], total: odd },
	];
	const pages = [
		ofMetigan(odd),
		ofMetigan({ total: odd }),
		...ofBlog.map((body) => pageOf(misarBlog, body)),
	];
	for (const page of pages) expect(page).toMatchObject({ size: 1, total: undefined });
});

describe('a suppression of Metigan', () => {
	const entry = { email: 'ada@example.com', reason: 'hard_bounce', createdAt: TIMES[0] };
	const read = (changes: object) => listed(metigan, { data: [{ ...entry, ...changes }] });

	it.each([...TIMES, '1767323045', 1767323045, 1767323045000])(
		'is read with its time written as %j',
		(createdAt) => {
			expect(read({ createdAt })).toMatchObject([{ event: 'email.bounced', at: AT }]);
		},
	);

	it.each([
		['HARD_BOUNCE', 'email.bounced', 'hard'],
		[' Soft_Bounce ', 'email.bounced', 'soft'],
		['Complaint', 'email.complained', undefined],
		['UNSUBSCRIBE', 'email.unsubscribed', undefined],
	])('is read with the reason %j', (reason, event, bounceType) => {
		expect(read({ reason })).toMatchObject([
			{ event, data: bounceType === undefined ? {} : { bounceType } },
		]);
	});

	it.each(['Ada <ada@example.com>', ' ADA@example.com\n', '"Lovelace, Ada" <ada@example.com>'])(
		'is the event of a delivery to %j',
		(recipient) => {
			const [event] = read({ messageId: 'msg_1' });
			const delivery = {
				event: 'email.bounced',
				at: AT,
				data: { recipient } as IDataObject,
				deliveryId: 'email.bounced:msg_1:1:0123456789abcdef',
			};
			const identity = metigan.identify(delivery);
			expect(identity).toEqual(event && metigan.identify(event));
			expect(identity?.own).toContain('msg_1');
		},
	);

	it.each([
		['email.bounced', 5],
		['email.complained', 5],
		['email.unsubscribed', 12 * 60],
	])('is the %s of a delivery up to %i minutes earlier or later', (event, minutes) => {
		const identityAt = (at: number) => {
			const identity = metigan.identify({ event, at, data: { email: 'ada@example.com' } });
			if (identity === undefined) throw new Error('it has an address');
			return identity;
		};
		for (const shift of [-minutes, minutes]) {
			const [left = ''] = deliveredKeys(identityAt(AT + shift * 60_000));
			expect(keysAround(identityAt(AT))).toContain(left);
		}
	});

	it.each(['constructor', '__proto__', 'manual'])('with the reason %j is no event', (reason) => {
		expect(read({ reason })).toEqual([]);
	});

	it.each<[object, object]>([
		[{ bounceCode: 550 }, { metadata: { dsn: '550' } }],
		[{ messageId: 7 }, { messageId: '7' }],
		[{ diagnostic: {} }, {}],
		[{ message: 'x' }, {}],
		[{ message: { subject: ['x'] } }, {}],
	])('is an event whatever else it says: %j', (odd, data) => {
		expect(read(odd)).toMatchObject([{ event: 'email.bounced', data }]);
	});

	it('is a separate event even if its address cannot be read', () => {
		const identities = ['a b', 'c d'].flatMap((email) =>
			read({ email }).map((event) => metigan.identify(event)?.about),
		);
		expect(identities).toHaveLength(2);
		expect(new Set(identities).size).toBe(2);
	});
});

describe('an article of Misar.Blog', () => {
	const article = { id: 'a1', slug: 's', title: 'T' };

	it.each(TIMES)('is the one that was delivered, with its time written as %j', (published_at) => {
		const [event] = listed(misarBlog, { data: [{ ...article, published_at }] });
		expect(event).toMatchObject({ event: 'article.published', at: AT });
		const delivered = {
			event: 'article.published',
			// The delivery has a time of its own.
			at: AT + 3_600_000,
			data: { article: { ...article, published_at: TIMES[0] } } as IDataObject,
		};
		expect(event && misarBlog.identify(event)).toEqual(misarBlog.identify(delivered));
	});

	it.each<[object, string]>([
		[{ id: 7 }, '7'],
		[{ constructor: null }, 'a1'],
		[{ constructor: 'x' }, 'a1'],
		[{ slug: null }, 'a1'],
		[{ slug: 7, title: {} }, 'a1'],
	])('is read with %j, and so are the others', (odd, id) => {
		const published_at = TIMES[0];
		const data = [
			{ ...article, ...odd, published_at },
			{ ...article, id: 'b', published_at },
		];
		const ids = listed(misarBlog, { data }).map((event) => misarBlog.identify(event)?.about);
		expect(ids).toEqual([`article.published|${id}`, 'article.published|b']);
	});

	it('is requested under its ID as one segment of the path', () => {
		const published_at = TIMES[0];
		const [event] = listed(misarBlog, { data: [{ ...article, id: '../keys?a#b', published_at }] });
		expect(event && misarBlog.details?.(event)?.path).toBe('/blog/v1/articles/..%2Fkeys%3Fa%23b');
	});
});
