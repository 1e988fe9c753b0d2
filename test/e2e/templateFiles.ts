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
		webhookId: z.string().uuid().optional(),
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
		pinData: z.object({}).strict(),
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

/**
 * Reads a template.
 *
 * @param addresses - example origin to the one to use instead, as its note tells the user to set it
 * @throws ZodError when the file has anything that an export without credentials does not have
 */
export function readTemplate(name: string, addresses: Record<string, string> = {}): Template {
	const text = Object.entries(addresses).reduce((changed, [from, to]) => {
		if (!changed.includes(from)) throw new Error(`${name} has no ${from}`);
		return changed.replaceAll(from, to);
	}, templateText(name));
	return templateSchema.parse(JSON.parse(text));
}

/** Names of the templates that the overview lists, in its order. */
export function listedTemplates(): string[] {
	const overview = readFileSync(join(FOLDER, 'README.md'), 'utf8');
	return [...overview.matchAll(/\]\(([^)/]+)\.json\)/g)].map(([, name = '']) => name);
}
