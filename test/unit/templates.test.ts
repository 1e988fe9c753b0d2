import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import { PACKAGE } from '../../testkit/publishTrigger';
import {
	EDITED,
	editedNode,
	links,
	readTemplate,
	settingNames,
	SETTINGS,
	settingsOf,
	STICKY,
	templateNames,
	templateText,
	type TemplateNode,
} from '../e2e/templateFiles';

/** What a template shows on the canvas: where to connect, what to edit, what to leave alone. */

/** The editor moves what it imports onto a grid; sizes in the canvas's pixels. */
const GRID = 16;
const NODE_SIZE = 96;
/** What the editor writes below a node. */
const LABEL_HEIGHT = 32;
/** The largest canvas that n8n still shows at half its size in a window of 1280 × 800. */
const [MAX_WIDTH, MAX_HEIGHT] = [1600, 960];

const SECTIONS = ['Connect', 'Edit me', 'Leave alone'] as const;

interface Box {
	readonly name: string;
	readonly left: number;
	readonly right: number;
	readonly top: number;
	readonly bottom: number;
}

interface Note extends Box {
	readonly heading: string;
	/** Which of {@link SECTIONS} it is; absent for the note on the whole template. */
	readonly section: (typeof SECTIONS)[number] | undefined;
	readonly text: string;
	readonly color: number;
}

const noteSchema = z.object({
	content: z.string(),
	width: z.number(),
	height: z.number(),
	color: z.number(),
});

function noteOf({ name, position: [left, top], parameters }: TemplateNode): Note {
	const { content, width, height, color } = noteSchema.parse(parameters);
	const heading = /^## (.+)\n\n/.exec(content)?.[1] ?? '';
	const section = SECTIONS.find((title) => new RegExp(`^\\d ${title}`).test(heading));
	const box = { name, left, right: left + width, top, bottom: top + height };
	return { ...box, heading, section, text: content, color };
}

function boxOf({ name, position: [left, top] }: TemplateNode): Box {
	return { name, left, right: left + NODE_SIZE, top, bottom: top + NODE_SIZE + LABEL_HEIGHT };
}

const overlap = (one: Box, two: Box) =>
	one.left < two.right && two.left < one.right && one.top < two.bottom && two.top < one.bottom;

const encloses = (outer: Box, inner: Box) =>
	outer.left <= inner.left &&
	outer.right >= inner.right &&
	outer.top <= inner.top &&
	outer.bottom >= inner.bottom;

/** Whether a node needs a credential, or may. */
function connects({ type, parameters }: TemplateNode): boolean {
	return (
		type.startsWith(`${PACKAGE}.`) ||
		type === 'n8n-nodes-base.redis' ||
		(parameters['authentication'] ?? 'none') !== 'none'
	);
}

describe.each(templateNames)('%s', (file) => {
	const template = readTemplate(file);
	const notes = template.nodes.filter(({ type }) => type === STICKY).map(noteOf);
	const working = template.nodes.filter(({ type }) => type !== STICKY);
	const sections = notes.filter(({ section }) => section !== undefined);
	const settings = editedNode(template);
	const sectionOf = (node: TemplateNode) => sections.filter((note) => encloses(note, boxOf(node)));

	it('can be imported twice, because it holds neither a webhook ID nor a path', () => {
		expect(templateText(file)).not.toContain('webhookId');
		const paths = working.map(({ parameters }) => parameters['path'] ?? '');
		expect(paths.filter((path) => path !== '')).toEqual([]);
	});

	it('says in a note of its own what it does', () => {
		expect(notes.filter(({ section }) => section === undefined)).toMatchObject([
			{ heading: template.name },
		]);
	});

	it('numbers its notes in the order of work, in a colour for each section that applies', () => {
		const applies = {
			Connect: true,
			'Edit me': settings !== undefined,
			'Leave alone': working.some((node) => !connects(node) && node !== settings),
		};
		const expected = SECTIONS.filter((title) => applies[title]);
		const inOrder = [...sections].sort((a, b) => a.heading.localeCompare(b.heading));
		expect(inOrder.map(({ heading }) => heading[0])).toEqual(inOrder.map((_, at) => `${at + 1}`));
		const found = inOrder.map(({ section }) => section);
		expect(found.filter((section, at) => section !== found[at - 1])).toEqual(expected);
		expect(inOrder.map(({ name }) => name)).toEqual(inOrder.map(({ heading }) => heading));
		const colors = new Map(notes.map(({ section, color }) => [section, color]));
		expect(new Set(colors.values()).size).toBe(expected.length + 1);
		for (const { section, color } of notes) expect(color).toBe(colors.get(section));
	});

	it('has each node within the note about it, and no overlaps', () => {
		for (const node of working) {
			expect([node.name, sectionOf(node)]).toEqual([node.name, [expect.anything()]]);
		}
		for (const boxes of [notes, working.map(boxOf)]) {
			const both = boxes.flatMap((one, at) =>
				boxes
					.slice(at + 1)
					.filter((two) => overlap(one, two))
					.map((two) => [one.name, two.name]),
			);
			expect(both).toEqual([]);
		}
	});

	it('lies on the grid of the editor, and fits into its window', () => {
		const positions = template.nodes.flatMap((node) => node.position);
		const sizes = notes.flatMap(({ left, right, top, bottom }) => [right - left, bottom - top]);
		expect([...positions, ...sizes].filter((value) => value % GRID !== 0)).toEqual([]);
		const span = (values: number[]) => Math.max(...values) - Math.min(...values);
		const width = span(notes.flatMap(({ left, right }) => [left, right]));
		const height = span(notes.flatMap(({ top, bottom }) => [top, bottom]));
		expect(width).toBeLessThanOrEqual(MAX_WIDTH);
		expect(height).toBeLessThanOrEqual(MAX_HEIGHT);
	});

	it('has every node that takes a credential under "Connect", where it is named', () => {
		const wanted = working.filter(connects);
		expect(wanted).not.toEqual([]);
		for (const node of wanted) {
			const [note] = sectionOf(node);
			expect([node.name, note?.section]).toEqual([node.name, 'Connect']);
			expect(note?.text).toMatch(
				new RegExp(`\\*\\*(${node.name.replaceAll('.', '\\.')}|All other nodes here)\\*\\*`),
			);
			expect(note?.text).toMatch(/credential/);
		}
	});

	it('has everything that users edit in one node behind the triggers, under "Edit me"', () => {
		const others = working.filter((node) => node !== settings && node.name !== EDITED);
		const elsewhere = JSON.stringify(others);
		expect(elsewhere).not.toMatch(/https?:|example\.(com|org)/);
		expect(elsewhere.includes(`$('${SETTINGS}')`)).toBe(settings?.name === SETTINGS);
		if (settings === undefined) return;
		const names = settingNames(template);
		expect(names).not.toEqual([]);
		expect(sectionOf(settings)).toMatchObject([{ section: 'Edit me' }]);
		if (settings.name === SETTINGS) {
			expect(names.filter((name) => !new RegExp(`\\b${name}\\b`).test(elsewhere))).toEqual([]);
			expect(settings.parameters['includeOtherFields']).toBe(true);
		}
		const before = links(template).filter(({ to }) => to === settings.name);
		const triggers = working.filter(({ type }) => type.endsWith('Trigger')).map(({ name }) => name);
		expect(before.map(({ from }) => from).sort()).toEqual(triggers.sort());
	});

	it('stops before it does anything while an example address remains', () => {
		const examples = Object.entries(settingsOf(template)).filter(([, value]) =>
			String(value).includes('.example.com'),
		);
		// A single node only sends a message to an address that does not exist.
		if (examples.length === 0 || settings?.name !== SETTINGS) return;
		expect(template.connections[SETTINGS]?.main).toMatchObject([[{ node: EDITED }]]);
		expect(template.connections[EDITED]?.main[1]).toMatchObject([{ node: 'Edit First' }]);
		const check = working.find(({ name }) => name === EDITED);
		expect(check?.parameters).toMatchObject({
			conditions: {
				conditions: examples.map(([name, value]) => ({
					leftValue: `={{ $json.${name} }}`,
					rightValue: String(value).endsWith('/…') ? '/webhook/…' : '.example.com',
					operator: { operation: 'notContains' },
				})),
			},
		});
	});

	it('names in a note every example address that is to be replaced', () => {
		const text = notes.map((note) => note.text).join('\n');
		for (const [origin] of JSON.stringify(settings ?? {}).matchAll(/https?:\/\/[\w.-]+/g)) {
			expect(origin).toMatch(/^https:\/\/[a-z0-9]+\.example\.com$/);
			expect(text).toContain(origin);
		}
	});
});
