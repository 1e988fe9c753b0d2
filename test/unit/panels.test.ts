import { describe, expect, it } from '@jest/globals';
import { NodeHelpers, type INodeTypeDescription } from 'n8n-workflow';

import { baseUrlMeant } from '../../nodes/shared/baseUrl';
import type { Provider } from '../../nodes/shared/provider';
import { operationsOf } from '../../nodes/shared/action/operations';
import { allProviders } from './allProviders';
import { read, section, tableRows } from './documents';
import { credentials, triggers } from './packageClasses';

/** What a person sees of triggers and credentials before anything runs, by n8n's own rules. */

/** The description of the trigger of a provider. */
function descriptionOf({ credentialType }: Provider): INodeTypeDescription {
	const trigger = triggers.find(({ description: { credentials: used = [] } }) =>
		used.some(({ name }) => name === credentialType),
	);
	if (trigger === undefined) throw new Error(`No trigger has ${credentialType}`);
	return trigger.description;
}

const providers = allProviders.map((provider) => [provider.displayName, provider] as const);

describe.each(providers)('the trigger of %s', (displayName, provider) => {
	const { product, events } = provider;
	const description = descriptionOf(provider);

	/** What the editor marks red. */
	function issues(parameters: object): string[] {
		const node = {
			...{ id: 'n', name: 'Trigger', position: [0, 0] as [number, number] },
			...{ type: description.name, typeVersion: 2 },
			parameters: {},
		};
		const chosen = { ...(product === undefined ? {} : { product }), ...parameters };
		const { properties } = description;
		node.parameters =
			NodeHelpers.getNodeParameters(properties, chosen, true, false, node, description) ?? {};
		const found = NodeHelpers.getNodeParametersIssues(properties, node, description);
		return Object.keys(found?.parameters ?? {});
	}

	it('is red while no event is chosen or typed', () => {
		expect(issues({})).toEqual(['events']);
		expect(issues({ events: [], options: { customEvents: '' } })).toEqual(['events']);
		expect(issues({ events: ['*'] })).toEqual([]);
		expect(issues({ events: events.map(({ name }) => name).slice(0, 1), options: {} })).toEqual(
			events.length === 0 ? ['events'] : [],
		);
		expect(issues({ events: [], options: { customEvents: 'page.published' } })).toEqual([]);
	});

	it('says how to trigger each event', () => {
		const lists = description.properties.filter(
			({ name, displayOptions }) =>
				name === 'events' && (displayOptions?.show?.['product'] ?? [product]).includes(product),
		);
		expect(lists).toHaveLength(2);
		for (const { name, howTo } of events) {
			for (const { options = [] } of lists) {
				const entry = options.find((option) => 'value' in option && option.value === name);
				const text = JSON.stringify(entry).toLowerCase();
				expect(text).toContain(`to try it: ${howTo.toLowerCase()}`);
			}
		}
	});

	it('has each event in the table of "How to make an event happen" in docs/providers.md', () => {
		const rows = tableRows(section(read('docs/providers.md'), '### How to make an event happen'));
		const stated = rows.filter(([, of = '']) => of.split(', ').includes(displayName));
		expect(stated.map(([name, , howTo]) => [name, howTo])).toEqual(
			expect.arrayContaining(events.map(({ name, howTo }) => [`\`${name}\``, howTo])),
		);
	});
});

describe.each(credentials.map((type) => [type.displayName, type] as const))(
	'the credential %s',
	(displayName, { name: credentialType, properties, documentationUrl = '' }) => {
		const heading = `### ${displayName.replace(/ API$/, '')} credential`;
		/** The rows of the table below that heading: field and explanation. */
		const documented = () => tableRows(section(read('docs/providers.md'), heading));

		const shown = (data: Record<string, string>) =>
			properties
				.filter(({ type }) => type !== 'hidden')
				.filter((property) => NodeHelpers.displayParameter(data, property, null, null))
				.map(({ name }) => name);
		const EMPTY = '__n8n_EMPTY_VALUE_7b1af746-3729-4c60-9b9b-e08eb29e58da';

		it('has its fields in the order of use', () => {
			const order = ['product', 'authentication', 'apiKey', 'signingSecret', 'baseUrl'];
			const fields = shown({ authentication: 'apiKey', signingSecret: '' });
			expect(fields).toEqual(order.filter((name) => fields.includes(name)));
			expect(fields).toEqual(expect.arrayContaining(['apiKey', 'signingSecret', 'baseUrl']));
		});

		it('asks for a previous signing secret only when there is one that replaces it', () => {
			expect(shown({ signingSecret: '' })).not.toContain('previousSigningSecret');
			expect(shown({ signingSecret: EMPTY })).not.toContain('previousSigningSecret');
			expect(shown({ signingSecret: 'whsec_new' })).toContain('previousSigningSecret');
		});

		it('leads to a section of docs/providers.md that explains each field', () => {
			const fields = documented().flatMap(([names = '']) => names.split(', '));
			const anchor = heading.slice(4).toLowerCase().replaceAll('.', '').replaceAll(' ', '-');
			expect(documentationUrl.split('/').at(-1)).toBe(`providers.md#${anchor}`);
			const shownFields = properties.filter(({ type }) => type !== 'hidden');
			expect(fields).toEqual(
				expect.arrayContaining(shownFields.map(({ displayName: title }) => title)),
			);
		});

		it('says in the editor and in our documents what the API key is needed for', () => {
			const own = allProviders.filter((provider) => provider.credentialType === credentialType);
			const purposes = {
				'automatic registration': own.some(({ api }) => api !== undefined),
				'Recover Missed Events': own.some(({ recovery }) => recovery !== undefined),
				'the action node': own.some((provider) => operationsOf(provider).length > 0),
			};
			const field = properties.find(({ name }) => name === 'apiKey');
			const [, explanation = ''] = documented().find(([name]) => name === 'API Key') ?? [];
			for (const text of [field?.description ?? '', explanation.replaceAll('**', '')]) {
				const named = Object.keys(purposes).map((purpose) => [purpose, text.includes(purpose)]);
				expect(Object.fromEntries(named)).toEqual(purposes);
			}
		});
	},
);

describe.each(providers)('the Base URL of %s', (_name, provider) => {
	const credential = credentials.find(({ name }) => name === provider.credentialType);
	const meant = (text: string) => baseUrlMeant(text, provider);

	it('defaults to the one of the credential, also when the field is empty', () => {
		const field = credential?.properties.find(({ name }) => name === 'baseUrl');
		expect([field?.default, meant(''), meant('  ')]).toEqual(Array(3).fill(provider.baseUrl));
	});

	it('may lack https:// and have slashes at its end', () => {
		expect(meant('api.example.com')).toBe('https://api.example.com');
		expect(meant(' mail.example.com:8443/panda// ')).toBe('https://mail.example.com:8443/panda');
		for (const text of ['http://127.0.0.1:8787', 'https://a.example.com/b', 'misar', 'a b.com']) {
			expect(meant(text)).toBe(text);
		}
	});

	it('may end with a path that the provider’s documents show', () => {
		for (const path of [...(provider.api?.paths ?? []), ...(provider.apiRoots ?? [])]) {
			expect(meant(`https://api.example.com${path}/`)).toBe('https://api.example.com');
			expect(meant(`api.example.com/proxy${path}`)).toBe('https://api.example.com/proxy');
			expect(meant(`https://api.example.com${path}2`)).toBe(`https://api.example.com${path}2`);
		}
	});
});
