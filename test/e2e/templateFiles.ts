import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { INode } from 'n8n-workflow';
import { z } from 'zod';

const ROOT = join(__dirname, '..', '..');
const FOLDER = join(ROOT, 'templates');
/** Credentials, addresses of the instance and execution data have no place in a template. */
const nodeShape = z
	.object({
		id: z.string().uuid(),
		name: z.string().min(1),
		type: z.string(),
		typeVersion: z.number(),
		position: z.tuple([z.number(), z.number()]),
		parameters: z.record(z.unknown()),
		onError: z.enum(['continueRegularOutput', 'continueErrorOutput']).optional(),
		retryOnFail: z.boolean().optional(),
		maxTries: z.number().int().min(2).max(5).optional(),
		waitBetweenTries: z.number().min(0).max(5000).optional(),
		alwaysOutputData: z.boolean().optional(),
		executeOnce: z.boolean().optional(),
	})
	.strict();

/** A node of a template, as n8n-workflow types it. */
export type TemplateNode = Omit<INode, 'credentials'>;

const nodeSchema = z.custom<TemplateNode>().superRefine((node, context) => {
	for (const issue of nodeShape.safeParse(node).error?.issues ?? []) context.addIssue(issue);
});

const connectionSchema = z.object({
	node: z.string(),
	type: z.literal('main'),
	index: z.number().int().min(0),
});

const templateSchema = z
	.object({
		name: z.string().min(1),
		nodes: z.array(nodeSchema).nonempty(),
		connections: z.record(z.object({ main: z.array(z.array(connectionSchema)) }).strict()),
		settings: z.record(z.unknown()),
		pinData: z.record(z.array(z.object({ json: z.record(z.unknown()) }).strict()).length(1)),
		tags: z.array(z.unknown()).length(0),
		meta: z.object({ templateCredsSetupCompleted: z.literal(false) }).strict(),
	})
	.strict();

/** A workflow as n8n's editor exports it, ready to be imported. */
export type Template = z.output<typeof templateSchema>;

/** Names of the files in `templates/`, without `.json`, sorted. */
export const templateNames: readonly string[] = readdirSync(FOLDER)
	.filter((file) => file.endsWith('.json'))
	.map((file) => file.slice(0, -'.json'.length))
	.sort();

export function templateText(name: string): string {
	return readFileSync(join(FOLDER, `${name}.json`), 'utf8');
}

/** The type of a note on the canvas. */
export const STICKY = 'n8n-nodes-base.stickyNote';

/** Every connection of a template, by the names of its two nodes. */
export function links({ connections }: Template): Array<{ from: string; to: string }> {
	return Object.entries(connections).flatMap(([from, { main }]) =>
		main.flat().map(({ node }) => ({ from, to: node })),
	);
}

/** The node with everything that a user edits, unless that is only an address in the one node behind a trigger. */
export const SETTINGS = 'Your settings';

/** The node that lets a run go on once no example address is left in {@link SETTINGS}. */
export const EDITED = 'Edited?';

/** The node that a user edits; none where a template has nothing to edit. */
export function editedNode({ nodes }: Template): TemplateNode | undefined {
	return nodes.find(({ name }) => name === SETTINGS) ?? nodes.find(hasAddress);
}

function hasAddress({ parameters }: TemplateNode): boolean {
	return String(parameters['url']).startsWith('https:');
}

/** Values for what is in {@link editedNode}, by the names of the fields. */
export type Settings = Readonly<Record<string, string | number>>;

const settingsSchema = z.object({
	assignments: z.object({
		assignments: z.array(z.object({ name: z.string(), value: z.unknown() }).passthrough()),
	}),
});

/**
 * Reads a template.
 *
 * @param settings - what the user edits
 * @throws ZodError when the file has anything that an export without credentials does not have
 */
export function readTemplate(name: string, settings: Settings = {}): Template {
	const template = templateSchema.parse(JSON.parse(templateText(name)));
	const known = settingNames(template);
	for (const wanted of Object.keys(settings)) {
		if (!known.includes(wanted)) throw new Error(`${name} has no setting ${wanted}`);
	}
	const edited = editedNode(template);
	const nodes = template.nodes.map((node) => (node === edited ? edit(node, settings) : node));
	return templateSchema.parse({ ...template, nodes });
}

function edit(node: TemplateNode, settings: Settings) {
	if (node.name !== SETTINGS) return { ...node, parameters: { ...node.parameters, ...settings } };
	const assignments = settingsSchema
		.parse(node.parameters)
		.assignments.assignments.map((field) => ({
			...field,
			value: settings[field.name] ?? field.value,
		}));
	return { ...node, parameters: { ...node.parameters, assignments: { assignments } } };
}

/** What a user edits, as it is in the file. */
export function settingsOf(template: Template): Record<string, unknown> {
	const node = editedNode(template);
	if (node === undefined) return {};
	if (node.name !== SETTINGS) return { url: node.parameters['url'] };
	const { assignments } = settingsSchema.parse(node.parameters).assignments;
	return Object.fromEntries(assignments.map(({ name, value }) => [name, value]));
}

/** The names of the fields that a user edits. */
export function settingNames(template: Template): string[] {
	return Object.keys(settingsOf(template));
}

/** Names of the templates that the overview lists, in its order. */
export function listedTemplates(): string[] {
	const overview = readFileSync(join(FOLDER, 'README.md'), 'utf8');
	return [...overview.matchAll(/\]\(([^)/]+)\.json\)/g)].map(([, name = '']) => name);
}
