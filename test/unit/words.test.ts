import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
	Workflow,
	type INode,
	type INodeParameters,
	type INodeProperties,
	type INodePropertyCollection,
	type INodePropertyOptions,
	type INodeType,
} from 'n8n-workflow';

import { MailPanda } from '../../nodes/MailPanda/MailPanda.node';
import { MailPandaTrigger } from '../../nodes/MailPanda/MailPandaTrigger.node';
import { Metigan } from '../../nodes/Metigan/Metigan.node';
import { MetiganTrigger } from '../../nodes/Metigan/MetiganTrigger.node';
import { Misar } from '../../nodes/Misar/Misar.node';
import { MisarTrigger } from '../../nodes/Misar/MisarTrigger.node';
import { MisarBlogTrigger } from '../../nodes/MisarBlog/MisarBlogTrigger.node';
import manifest from '../../package.json';
import { allProviders } from './allProviders';
import { credentials, nodes, triggers } from './packageClasses';

/** The words that a user reads in the editor. */

/** A text of the editor, and its place. */
type Text = [place: string, text: string | undefined];

/** A parameter or a field inside one, and its place. */
type Field = [place: string, field: INodeProperties];
type Choice = INodePropertyOptions | INodeProperties | INodePropertyCollection;

function fieldsOf(place: string, properties: readonly INodeProperties[]): Field[] {
	return properties.flatMap((field): Field[] => {
		const at = `${place}, ${field.name} ${JSON.stringify(field.displayOptions?.show ?? {})}`;
		return [[at, field], ...fieldsOf(at, (field.options ?? []).filter(isField))];
	});
}

function isField(option: Choice): option is INodeProperties {
	return 'type' in option;
}

function isOption(option: Choice): option is INodePropertyOptions {
	return 'value' in option;
}

const fields = [
	...nodes.flatMap(({ description: { name, properties } }) => fieldsOf(name, properties)),
	...credentials.flatMap(({ name, properties }) => fieldsOf(name, properties)),
];
const explained = fields.filter(([, { type }]) => type !== 'notice' && type !== 'hidden');
const options = fields.flatMap(([place, field]) =>
	(field.options ?? [])
		.filter(isOption)
		.map((option): [string, INodePropertyOptions] => [`${place}: ${option.name}`, option]),
);

/** What is wrong with a text by the rules of n8n: one sentence has no full stop, several have. */
function flaw(text: string | undefined): string | undefined {
	if (text === undefined || text.trim() !== text || text.length < 4) return 'missing';
	if (!/^[A-Z0-9]/.test(text)) return 'begins with a small letter';
	const several = /[.!?] [A-Z0-9]/.test(text);
	return several === /[.!?]$/.test(text) ? undefined : 'full stop';
}

function flaws(texts: readonly Text[]): string[] {
	return texts
		.map(([place, text]) => [place, flaw(text)])
		.filter(([, found]) => found !== undefined)
		.map(([place, found]) => `${place}: ${found}`);
}

describe('every parameter and credential field', () => {
	it('is found by this test', () => {
		expect(fields.length).toBeGreaterThan(100);
		expect(options.length).toBeGreaterThan(200);
		expect(['', 'word', 'One. Two', 'One.', 'small'].map(flaw)).not.toContain(undefined);
	});

	it('has a description', () => {
		expect(flaws(explained.map(([place, { description }]): Text => [place, description]))).toEqual(
			[],
		);
		const repeating = explained.filter(
			([, { description, displayName }]) =>
				description?.toLowerCase() === displayName.toLowerCase(),
		);
		expect(repeating.map(([place]) => place)).toEqual([]);
	});

	it('has an example where text is typed, or says when to leave it empty', () => {
		const without = explained
			.filter(([, { type }]) => type === 'string')
			.filter(
				([, { placeholder }]) =>
					!/^(e\.g\.|Leave empty|Only while) \S|^Leave empty: \S/.test(placeholder ?? ''),
			);
		expect(without.map(([place]) => place)).toEqual([]);
	});

	it('has a default that is one of its options', () => {
		const without = fields
			.filter(([, { type }]) => type === 'options')
			.filter(
				([, field]) =>
					!(field.options ?? []).filter(isOption).some(({ value }) => value === field.default),
			);
		expect(without.map(([place]) => place)).toEqual([]);
		expect(fields.filter(([, field]) => field.default === undefined)).toEqual([]);
	});

	it('says what each of its options means', () => {
		expect(flaws(options.map(([place, { description }]): Text => [place, description]))).toEqual(
			[],
		);
	});
});

describe('the subtitle of a node on the canvas', () => {
	/** What the editor shows: n8n's own evaluation of the subtitle. */
	const subtitle = (node: INodeType, parameters: INodeParameters) =>
		evaluate(node, parameters, node.description.subtitle ?? '');

	it.each<[string, INodeType, INodeParameters]>([
		['Email Bounced', new MisarTrigger(), chosen('mail', ['email.bounced'])],
		[
			'Misar.ai: Deploy Failed +1',
			new MisarTrigger(),
			chosen('ai', ['deploy.failed', 'deploy.succeeded']),
		],
		['Post: All Events', new MisarTrigger(), chosen('post', ['*'])],
		[
			'Email Bounced +3',
			new MisarTrigger(),
			chosen('mail', ['email.bounced', 'email.sent', 'email.opened'], 'email.deferred'),
		],
		['Misar.Ink: drawing.made', new MisarTrigger(), chosen('ink', [], ' drawing.made,')],
		[
			'Email Bounced, Marked as Spam',
			new MisarTrigger(),
			chosen('mail', ['email.bounced', 'email.complained']),
		],
		['Reach', new MisarTrigger(), chosen('reach', [])],
		['Article Published', new MisarBlogTrigger(), { events: ['article.published'] }],
		['Email Bounced', new MailPandaTrigger(), { events: ['bounce'], options: {} }],
		['Form Submitted', new MetiganTrigger(), { events: ['form.submitted'], options: {} }],
		['', new MetiganTrigger(), {}],
		[
			'get many: endpoint',
			new Misar(),
			{ product: 'mail', resource: 'endpoint', operation: 'getAll' },
		],
		[
			'create: endpoint (Reach)',
			new Misar(),
			{ product: 'reach', resource: 'endpoint', operation: 'create' },
		],
		[
			'create or update: endpoint',
			new Metigan(),
			{ resource: 'endpoint', operation: 'createOrUpdate' },
		],
		['record: event', new MailPanda(), { resource: 'event', operation: 'record' }],
	])('reads "%s"', (expected, node, parameters) => {
		expect(subtitle(node, parameters)).toBe(expected);
	});

	function chosen(product: string, events: string[], customEvents?: string): INodeParameters {
		return { product, events, options: customEvents === undefined ? {} : { customEvents } };
	}
});

describe('the hints beside the output', () => {
	const UNVERIFIED = /verification is off/;
	const MANUAL = /Manual registration/;

	it.each<[string, INodeType, INodeParameters, RegExp[]]>([
		[
			'Misar Mail, automatic',
			new MisarTrigger(),
			{ product: 'mail', registration: 'automatic' },
			[],
		],
		[
			'Misar Mail, manual',
			new MisarTrigger(),
			{ product: 'mail', registration: 'manual' },
			[MANUAL],
		],
		['Misar.Dev', new MisarTrigger(), { product: 'dev' }, [MANUAL]],
		['Misar.Blog', new MisarBlogTrigger(), {}, [MANUAL]],
		[
			'Misar.Blog, unverified',
			new MisarBlogTrigger(),
			{ options: { acceptUnverified: true } },
			[UNVERIFIED, MANUAL],
		],
		[
			'Mail Panda, unverified',
			new MailPandaTrigger(),
			{ registration: 'automatic', options: { acceptUnverified: true } },
			[UNVERIFIED],
		],
		['Metigan, manual', new MetiganTrigger(), { registration: 'manual', options: {} }, [MANUAL]],
		['Metigan, automatic', new MetiganTrigger(), { registration: 'automatic', options: {} }, []],
	])('appear for %s', (_title, node, parameters, expected) => {
		const shown = (node.description.hints ?? [])
			.filter(({ displayCondition }) => evaluate(node, parameters, displayCondition ?? '') === true)
			.map(({ message }) => message);
		expect(shown).toEqual(expected.map((text) => expect.stringMatching(text)));
	});
});

describe('the messages of a trigger', () => {
	it.each(triggers.map(({ description }) => [description.displayName, description] as const))(
		'say what will happen: %s',
		(displayName, { activationMessage, eventTriggerDescription, triggerPanel }) => {
			const provider = displayName.replace(/ Trigger$/, '');
			expect(activationMessage).toContain(provider);
			expect(activationMessage).toMatch(/starts this workflow/);
			expect(eventTriggerDescription).toContain(provider);
			expect(triggerPanel).toMatchObject({
				header: expect.stringContaining(provider),
				executionsHelp: {
					inactive: expect.stringMatching(/publish/i),
					active: expect.stringMatching(/published/),
				},
			});
		},
	);
});

describe('the notice of manual registration', () => {
	const notices = fields.filter(([, { name }]) => name === 'manualNotice');

	it('exists for every product', () => expect(notices).toHaveLength(allProviders.length));

	it.each(notices)('lists steps in HTML tags that n8n keeps: %s', (_place, { displayName }) => {
		expect(displayName).toMatch(
			/<li>Open .*Production URL.*<\/li><li>.*Signing Secret.*<li>Publish.*localhost.*N8N_WEBHOOK_URL/s,
		);
		const tags = [...displayName.matchAll(/<\/?([a-z]+)/g)].map(([, tag]) => tag);
		expect(tags.filter((tag) => !['a', 'ul', 'li'].includes(tag ?? ''))).toEqual([]);
	});
});

const FOLDERS = [...new Set(manifest.n8n.nodes.map((file) => basename(dirname(file))))];

describe('icons', () => {
	const inFolder = (folder: string, ending: string) =>
		readFileSync(
			join('nodes', folder, `${folder[0]?.toLowerCase()}${folder.slice(1)}${ending}`),
			'utf8',
		);

	it('are small, and differ from each other and between light and dark', () => {
		const drawings = FOLDERS.flatMap((folder) => [
			inFolder(folder, '.svg'),
			inFolder(folder, '.dark.svg'),
		]);
		expect(new Set(drawings).size).toBe(drawings.length);
		for (const drawing of drawings) {
			expect(drawing).toMatch(/^<svg [^>]*viewBox="0 0 60 60"/);
			expect(drawing.length).toBeLessThan(1_000);
		}
	});
});

/** Evaluates an expression of a node's description the way the editor does. */
function evaluate(node: INodeType, parameters: INodeParameters, expression: string): unknown {
	const { name: type } = node.description;
	const instance: INode = {
		id: '1',
		name: 'Node',
		type,
		typeVersion: 1,
		position: [0, 0],
		parameters,
	};
	const nodeTypes = {
		getByName: () => node,
		getByNameAndVersion: () => node,
		getKnownTypes: () => ({}),
	};
	const workflow = new Workflow({ nodes: [instance], connections: {}, active: false, nodeTypes });
	return workflow.expression.getSimpleParameterValue(instance, expression, 'internal', {});
}
