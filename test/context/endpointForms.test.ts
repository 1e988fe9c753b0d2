import { beforeEach, describe, expect, it } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import { answerWith, mapEach, mapEntries, rewriteAnswers, type Entry, type Place } from './answers';
import { Life } from './life';
import { recordWarnings } from './logs';
import { withApi } from './providers';
import { useSandbox } from './useSandbox';
import { reachWithoutNetwork } from './withoutNetwork';

/** Providers that show an endpoint in a different form, in part, or not at all. */

let sandbox: Sandbox;
let warnings: string[];

useSandbox((started) => (sandbox = started));
beforeEach(() => {
	warnings = recordWarnings();
	reachWithoutNetwork(sandbox);
});

const namesOf = ({ events }: Entry) =>
	Array.isArray(events) ? events.map(String) : String(events).split(',');
const urlOf = ({ url }: Entry) => String(url);
/** Counts reads, for forms that differ from one read to the next. */
let looks = 0;

const forms: ReadonlyArray<[string, (entry: Entry) => Entry]> = [
	['its events as *', (entry) => ({ ...entry, events: ['*'] })],
	['its events as the text *', (entry) => ({ ...entry, events: '*' })],
	[
		'its events in capitals',
		(entry) => ({ ...entry, events: namesOf(entry).map((name) => name.toUpperCase()) }),
	],
	['one event more', (entry) => ({ ...entry, events: [...namesOf(entry), 'webhook.ping'] })],
	[
		'one event more, in any order',
		(entry) => {
			const names = [...namesOf(entry), 'webhook.ping'];
			return { ...entry, events: looks++ % 2 === 0 ? names : names.reverse() };
		},
	],
	['its events as JSON text', (entry) => ({ ...entry, events: JSON.stringify(namesOf(entry)) })],
	['no events', (entry) => ({ ...entry, events: [] })],
	['a masked URL', (entry) => ({ ...entry, url: 'https://n8n.example.com/****' })],
	['a cut URL', (entry) => ({ ...entry, url: `${urlOf(entry).slice(0, 40)}…` })],
	[
		'a URL without its scheme',
		(entry) => ({ ...entry, url: urlOf(entry).slice('https://'.length) }),
	],
	[
		'a URL with http for https',
		(entry) => ({ ...entry, url: urlOf(entry).replace('https', 'http') }),
	],
	['a percent-encoded URL', (entry) => ({ ...entry, url: encodeURIComponent(urlOf(entry)) })],
	[
		'a URL with encoded hyphens',
		(entry) => {
			const { origin, pathname } = new URL(urlOf(entry));
			return { ...entry, url: `${origin}${pathname.replaceAll('-', '%2d')}` };
		},
	],
];
const places: ReadonlyArray<[string, Place]> = [
	['in its list', 'list'],
	['for one', 'one'],
	['everywhere', 'both'],
];

describe.each(withApi)('if %s shows', (_title, trigger) => {
	describe.each(forms)('%s', (_form, change) => {
		it.each(places)(
			'%s, nothing is changed or reported after the first POST until the unpublish',
			async (_where, place) => {
				const life = new Life(sandbox, trigger);
				rewriteAnswers(sandbox, trigger, mapEach(change), { place });
				if (place === 'both') {
					rewriteAnswers(sandbox, trigger, mapEach(change), { method: 'POST' });
				}
				await life.goOn();
				expect(life.changes).toEqual(['POST']);
				expect(life.problems).toEqual([]);
				expect(warnings).toEqual([]);
				expect(life.endpoints).toHaveLength(1);
				await life.unpublish();
				expect(life.endpoints).toEqual([]);
			},
		);
	});
});

describe.each(withApi)('a truncated list of %s', (_title, trigger) => {
	const COUNT = 20;
	const addOthers = () => {
		for (let index = 0; index < COUNT; index++) {
			sandbox.addEndpoint(trigger.provider, {
				url: `https://other-app.example.com/${index}`,
				events: [trigger.events[0]],
			});
		}
	};
	const cut = (list: Entry[]) => list.slice(0, COUNT);
	const cutNewestFirst = (list: Entry[]) => [...list].reverse().slice(0, COUNT);
	const hide = (choose: (list: Entry[]) => Entry[]) =>
		rewriteAnswers(sandbox, trigger, (answer) => mapEntries(answer, choose), { place: 'list' });

	it.each([404, 405, undefined])(
		'that never shows ours leads to one endpoint, and to none after the unpublish (GET of one: %s)',
		async (status) => {
			const life = new Life(sandbox, trigger);
			addOthers();
			hide(cut);
			if (status !== undefined) answerWith(sandbox, trigger, { status }, { place: 'one' });
			await life.goOn();
			expect(life.endpoints).toHaveLength(COUNT + 1);
			expect(life.changes).toEqual(['POST']);
			expect(warnings).toEqual([]);
			await life.unpublish();
			expect(life.endpoints).toHaveLength(COUNT);
		},
	);

	it('that no longer shows ours leads to one endpoint, and to none after the unpublish', async () => {
		const life = new Life(sandbox, trigger);
		answerWith(sandbox, trigger, { status: 404 }, { place: 'one' });
		hide(cutNewestFirst);
		await life.publish();
		addOthers();
		await life.check();
		await life.check();
		expect(life.endpoints).toHaveLength(COUNT + 1);
		await life.unpublish();
		expect(life.endpoints).toHaveLength(COUNT);
	});
});

describe.each(withApi)('if %s has IDs that are 64-bit numbers', (_title, trigger) => {
	const numbered = (entry: Entry) => ({ ...entry, id: 9_223_372_036_854_775_000, _id: undefined });
	const createAnswer = mapEach(numbered);

	it.each<[string, (entry: Entry) => Entry]>([
		['and shows the URL', numbered],
		['and wraps each endpoint', (entry) => ({ data: numbered(entry) })],
	])('%s: six publishes send one POST, and the message names the URL', async (_what, change) => {
		const life = new Life(sandbox, trigger);
		rewriteAnswers(sandbox, trigger, createAnswer, { method: 'POST' });
		rewriteAnswers(sandbox, trigger, (answer) =>
			mapEntries(answer, (list) => list.map(change), change),
		);
		for (let publish = 0; publish < 6; publish++) {
			await expect(life.publish()).rejects.toThrow(
				`has an endpoint for ${life.host.webhookUrl} whose id cannot be read`,
			);
		}
		expect(life.changes).toEqual(['POST']);
		await life.unpublish();
		expect(warnings.at(-1)).toContain(life.host.webhookUrl);
	});

	it('and masks the URL, each publish sends one POST at most', async () => {
		const life = new Life(sandbox, trigger);
		const masked = mapEach((entry) => ({
			...numbered(entry),
			url: 'https://n8n.example.com/****',
		}));
		rewriteAnswers(sandbox, trigger, createAnswer, { method: 'POST' });
		rewriteAnswers(sandbox, trigger, masked);
		await expect(life.publish()).rejects.toThrow();
		expect(life.changes).toEqual(['POST']);
	});

	it('in its lists only, there is one endpoint, and none after the unpublish', async () => {
		const life = new Life(sandbox, trigger);
		rewriteAnswers(sandbox, trigger, createAnswer);
		await life.goOn();
		expect(life.changes).toEqual(['POST']);
		await life.unpublish();
		expect(life.endpoints).toEqual([]);
	});
});
