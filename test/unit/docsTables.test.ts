import { describe, expect, it } from '@jest/globals';
import type { INodeProperties } from 'n8n-workflow';

import { OPERATORS } from '../../nodes/shared/conditions';
import type { Provider, SignatureScheme } from '../../nodes/shared/provider';
import { TOLERANCE } from '../../nodes/shared/properties';
import { triggerProperties } from '../../nodes/shared/trigger/properties';
import { providers as sandboxProviders } from '../../sandbox/providers';
import { allProviders } from './allProviders';
import { read, section, tableRows } from './documents';

/** The tables of the README and of docs/providers.md, cell by cell against the provider data. */

const README = read('README.md');
const PROVIDERS = read('docs/providers.md');

/** The rows of the first table below a heading, without its header. */
function rowsBelow(text: string, heading: string): string[][] {
	const [table = ''] = section(text, heading).match(/^\|.*(?:\n\|.*)*/m) ?? [];
	return tableRows(table).slice(2);
}

/** The providers that a cell names, e.g. "Misar.Dev, ai, Ink" or "Mail". */
function namedIn(cell: string): Provider[] {
	return cell.split(/, | and /).map((name) => {
		const found = allProviders.find(({ displayName }) =>
			[name, `Misar ${name}`, `Misar.${name}`].includes(displayName),
		);
		if (found === undefined) throw new Error(`No provider is called "${name}"`);
		return found;
	});
}

/** A row of a table for each provider that its first cell names: the provider and the other cells. */
type Line = readonly [provider: string, ...cells: string[]];

function linesOf(rows: readonly string[][]): Line[] {
	return rows.flatMap(([names = '', ...cells]) =>
		namedIn(names).map(({ displayName }): Line => [displayName, ...cells]),
	);
}

const sorted = (lines: readonly Line[]) =>
	[...lines].sort(([a], [b]) => allNames.indexOf(a) - allNames.indexOf(b));
const allNames = allProviders.map(({ displayName }) => displayName);

function registration({ api, defaultRegistration }: Provider): string {
	if (api === undefined) return 'manual';
	return defaultRegistration === 'automatic'
		? 'automatic or manual'
		: 'manual, or automatic (its API is inferred)';
}

const registrations = allProviders.map((one): Line => [one.displayName, registration(one)]);

describe('the table of registrations', () => {
	it('in docs/providers.md agrees with the provider data', () => {
		expect(sorted(linesOf(rowsBelow(PROVIDERS, '## Registration')))).toEqual(registrations);
	});

	it('in the README agrees with the provider data', () => {
		let trigger = '';
		const lines = rowsBelow(README, '## Triggers').flatMap(
			([name = '', starts = '', cell = '']) => {
				if (name !== '') trigger = name.replace(/ Trigger$/, '');
				const names = trigger === 'Misar' ? (starts.split(':')[0] ?? '') : trigger;
				return linesOf([[names, cell]]);
			},
		);
		expect(sorted(lines)).toEqual(registrations);
	});
});

/** A header as the documents write it: `x-misar-timestamp` is `X-Misar-Timestamp`. */
function titleCase(header: string): string {
	return header.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());
}

/** What a scheme signs, and how the header says it. */
function schemeCells(scheme: SignatureScheme): string[] {
	const automatic = scheme.auto ? 'yes' : 'no';
	if (scheme.kind === 'sharedSecret') return [scheme.name, 'the secret', 'nothing', automatic];
	const { layout, signed, timestampHeader } = scheme;
	const value =
		layout.type === 'elements'
			? `\`${layout.timestamp}=…,${layout.signature}=<hex>\``
			: layout.prefixes.map((prefix) => `\`${prefix}<hex>\``).join(', ');
	const timestamp =
		layout.type === 'elements' ? layout.timestamp : titleCase(timestampHeader ?? '');
	const what = signed === 'body' ? 'the body' : `\`${timestamp}\` and the body`;
	return [scheme.name, value, what, automatic];
}

describe('the signature schemes in docs/providers.md', () => {
	const text = section(PROVIDERS, '## Signature schemes');

	it('are those of the provider data, in the same order', () => {
		const stated = linesOf(rowsBelow(PROVIDERS, '## Signature schemes'));
		expect(sorted(stated)).toEqual(
			allProviders.flatMap(({ displayName, schemes }) =>
				schemes.map((scheme) => [displayName, ...schemeCells(scheme)]),
			),
		);
	});

	it('name the header that is compared with the body, and the tolerance', () => {
		const compared = allProviders.flatMap(({ displayName, envelope: { comparedEventHeader } }) =>
			comparedEventHeader === undefined ? [] : [[displayName, comparedEventHeader]],
		);
		const stated = [...text.matchAll(/([\w.]+) sends the event's name in `([\w-]+)`/g)];
		expect(stated.map(([, name, header]) => [name, header?.toLowerCase()])).toEqual(compared);
		expect(text).toContain(`within ${String(TOLERANCE.default)} seconds`);
	});
});

describe('the recovery table in docs/providers.md', () => {
	const lines = linesOf(rowsBelow(PROVIDERS, '### Recovering missed events'));

	it('names the events that each provider lists, and "no" for those without a list', () => {
		const stated = lines.map(
			([name, recovered = '']): Line => [
				name,
				...(recovered === 'no' ? [] : [...recovered.matchAll(/`([^`]+)`/g)].map(([, e = '']) => e)),
			],
		);
		expect(sorted(stated)).toEqual(
			allProviders.map(({ displayName, recovery }) => [displayName, ...(recovery?.events ?? [])]),
		);
	});

	it('is followed by how often each API is called', () => {
		for (const { recovery } of allProviders) {
			if (recovery === undefined) continue;
			expect(section(PROVIDERS, '### Recovering missed events')).toContain(
				`at most ${recovery.callsPerMinute} calls a minute`,
			);
		}
	});
});

describe('the table of limits in docs/providers.md', () => {
	const OPEN = 'not documented';
	const DAY = 86_400;
	const lines = sorted(linesOf(rowsBelow(PROVIDERS, '## Limits and retries')));
	/** The sandbox has these facts independently of the nodes. */
	const retryOf = (name: string) => {
		const provider = Object.values(sandboxProviders).find(({ title }) => title === name);
		if (provider === undefined) throw new Error(`The sandbox has no ${name}`);
		return provider.retry;
	};
	/** The page of the platform is about every product of Misar. */
	const platform = retryOf('Misar.Dev');

	it('has a row for every provider', () => {
		expect(lines.map(([name]) => name)).toEqual(allNames);
	});

	it('says how long each waits for an answer; where no document says it, the trigger assumes the shortest time', () => {
		const documented = lines.flatMap(([, waits = '']) =>
			waits === OPEN ? [] : [Number.parseInt(waits)],
		);
		const waits = lines.map(([name, stated]) => [
			name,
			stated === OPEN ? `${Math.min(...documented)} s` : stated,
		]);
		expect(waits).toEqual(
			allProviders.map(({ displayName, envelope }) => [
				displayName,
				`${envelope.answerWithinSeconds} s`,
			]),
		);
		expect(waits).toEqual(allNames.map((name) => [name, `${retryOf(name).timeoutSeconds} s`]));
	});

	it.each(allProviders)(
		'says whether $displayName sends again, and for how long',
		({ displayName, envelope: { retried } }) => {
			const { delaysSeconds } = retryOf(displayName);
			const [, , again = ''] = lines.find(([name]) => name === displayName) ?? [];
			expect(again.startsWith('never')).toBe(!retried);
			expect(again === OPEN).toBe(retried && delaysSeconds.length === 0);
			const span = delaysSeconds.reduce((sum, delay) => sum + delay, 0);
			for (const [, hours] of again.matchAll(/(\d+) h/g)) {
				const known = [span, platform.delaysSeconds.reduce((sum, delay) => sum + delay, 0)];
				expect(known.map((seconds) => Math.round(seconds / 3600))).toContain(Number(hours));
			}
			for (const [, times] of again.matchAll(/(\d+) times/g)) {
				expect(Number(times)).toBe(delaysSeconds.length);
			}
		},
	);

	it('says when each disables an endpoint', () => {
		const pages = (name: string) => (name === 'Misar Mail' ? platform : retryOf(name));
		const expected = allProviders.map(({ displayName, envelope: { switchesOffAfter } }) => {
			const { disableAfterFailures, disableAfterServerErrorSeconds } = pages(displayName);
			expect(switchesOffAfter).toBe(disableAfterFailures);
			if (disableAfterServerErrorSeconds !== undefined) {
				return [displayName, `after ${disableAfterServerErrorSeconds / DAY} days of 5xx`];
			}
			return [
				displayName,
				switchesOffAfter === undefined
					? OPEN
					: `after ${switchesOffAfter} failed deliveries in a row`,
			];
		});
		expect(lines.map(([name, , , off]) => [name, off])).toEqual(expected);
	});
});

describe('the options in the README', () => {
	const offers = allProviders.map((provider) => ({
		displayName: provider.displayName,
		options: triggerProperties([provider]).flatMap(({ name, options = [] }) =>
			name === 'options' ? options.filter((one): one is INodeProperties => 'type' in one) : [],
		),
	}));
	const rows = rowsBelow(README, '### Options').map(([name = '', effect = '']) => ({
		name,
		effect,
	}));
	/** "Check Every (Minutes)" is listed without its unit. */
	const titleOf = ({ displayName }: INodeProperties) => displayName.replace(/ \(Minutes\)$/, '');

	it('are those of the triggers', () => {
		const titles = offers.flatMap(({ options }) => options.map(titleOf));
		expect(rows.map(({ name }) => name)).toEqual(
			[...new Set(titles)].sort((a, b) => a.localeCompare(b)),
		);
	});

	it.each(rows)('name the triggers that have $name, and its default', ({ name, effect }) => {
		const having = offers.filter(({ options }) => options.some((one) => titleOf(one) === name));
		expect(having.map(({ displayName }) => displayName)).toEqual(namesBefore(effect));
		for (const { options } of having) {
			const { type, default: value } = options.find((one) => titleOf(one) === name) ?? {};
			if (type === 'number') expect(effect).toContain(`${String(value)} by default`);
		}
	});

	/** The triggers that an effect is limited to: "Mail Panda: …", "Not Misar.Blog: …". */
	function namesBefore(effect: string): string[] {
		const [, not, names] = /^(Not )?([^:[]+): /.exec(effect) ?? [];
		if (names === undefined) return allNames;
		const limited =
			names === 'Automatic registration'
				? allProviders.filter(({ api }) => api !== undefined)
				: namedIn(names);
		return allProviders
			.filter((provider) => limited.includes(provider) === (not === undefined))
			.map(({ displayName }) => displayName);
	}
});

it('the operators of conditions in docs/providers.md are those of the editor', () => {
	const stated = rowsBelow(PROVIDERS, '## Conditions').flatMap(([names = '']) => names.split(', '));
	expect(stated.sort()).toEqual(
		Object.values(OPERATORS)
			.map(({ name }) => name)
			.sort(),
	);
});
