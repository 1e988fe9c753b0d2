import { parse } from 'flatted';
import type { INodeProperties } from 'n8n-workflow';
import { z } from 'zod';

/** A node as the editor stores it. `webhookId` is needed for a trigger that has webhooks. */
export interface NodeDefinition {
	id?: string;
	name: string;
	/** e.g. `n8n-nodes-base.webhook` or `n8n-nodes-misar-metigan.misarTrigger` */
	type: string;
	typeVersion?: number;
	position?: [number, number];
	parameters?: Record<string, unknown>;
	credentials?: Record<string, { id: string; name: string }>;
	webhookId?: string;
	disabled?: boolean;
	onError?: string;
}

/** A workflow to create; connections as n8n stores them (see {@link chain}). */
export interface WorkflowDefinition {
	name: string;
	nodes: NodeDefinition[];
	connections?: Record<string, unknown>;
	settings?: Record<string, unknown>;
	/** Items that a node outputs in place of its own, in manual runs. */
	pinData?: Record<string, Array<{ json: Record<string, unknown> }>>;
}

/** Connects nodes one after the other by their names. */
export function chain(...names: string[]): Record<string, unknown> {
	return Object.fromEntries(
		names
			.slice(0, -1)
			.map((name, index) => [
				name,
				{ main: [[{ node: names[index + 1], type: 'main', index: 0 }]] },
			]),
	);
}

export const workflowSchema = z
	.object({
		id: z.string(),
		name: z.string(),
		active: z.boolean(),
		versionId: z.string(),
		nodes: z.array(z.object({ id: z.string(), name: z.string(), type: z.string() }).passthrough()),
		connections: z.record(z.unknown()),
		settings: z.record(z.unknown()).nullish(),
		staticData: z.record(z.unknown()).nullish(),
	})
	.passthrough();

/** A stored workflow, static data included, as everyone who may read it gets it. */
export type StoredWorkflow = z.output<typeof workflowSchema>;

export const nodeTypesSchema = z
	.array(z.object({ properties: z.array(z.custom<INodeProperties>(isObject)) }).passthrough())
	.nonempty();

function isObject(value: unknown): boolean {
	return typeof value === 'object' && value !== null;
}

/** A node type as the editor sees it. */
export type NodeTypeDescription = z.output<typeof nodeTypesSchema>[number];

export const credentialSchema = z.object({ id: z.string() });

export const storedCredentialSchema = credentialSchema.extend({
	name: z.string(),
	type: z.string(),
	data: z.record(z.unknown()),
});

export const credentialTestSchema = z.object({
	status: z.enum(['OK', 'Error']),
	message: z.string().default(''),
});

/** What n8n's credential test answered. */
export type CredentialTestResult = z.output<typeof credentialTestSchema>;

const summary = z
	.object({
		id: z.coerce.string(),
		workflowId: z.string(),
		status: z.string(),
		mode: z.string(),
		startedAt: z.string().nullish(),
		stoppedAt: z.string().nullish(),
	})
	.passthrough();

/** One row of the executions list; `status` is `success`, `error`, `running`, `new`, … */
export type ExecutionSummary = z.output<typeof summary>;

/** n8n 2.41 returns where the next page begins; 1.x expects the last id. */
export const executionListSchema = z.object({
	results: z.array(summary),
	nextCursor: z.string().nullish(),
});
export type ExecutionPage = z.output<typeof executionListSchema>;

const item = z.object({ json: z.record(z.unknown()) }).passthrough();

const nodeError = z.object({ message: z.string() }).passthrough();

const nodeRun = z
	.object({
		executionStatus: z.string().optional(),
		data: z
			.object({ main: z.array(z.array(item).nullable()) })
			.partial()
			.optional(),
		error: nodeError.optional(),
	})
	.passthrough();

const runData = z.object({
	resultData: z
		.object({
			runData: z.record(z.array(nodeRun)).default({}),
			lastNodeExecuted: z.string().optional(),
			error: nodeError.optional(),
		})
		.passthrough(),
});

/** n8n sends run data as a string in flatted's format, where repeated values are references. */
export const executionSchema = summary.extend({
	data: z
		.string()
		.transform((text): unknown => parse(text))
		.pipe(runData),
});

/** One execution with what each node put out. */
export type Execution = z.output<typeof executionSchema>;

/** The items a node put out in its first run, on its first output unless another one is named. */
export function outputOf(
	execution: Execution,
	node: string,
	output = 0,
): Array<Record<string, unknown>> {
	const [first] = execution.data.resultData.runData[node] ?? [];
	return (first?.data?.main?.[output] ?? []).map(({ json }) => json);
}

/** How far n8n's publication service is with a workflow: `in_progress`, `published`, `failed`, … */
export const publicationSchema = z.object({
	status: z.string(),
	triggers: z.array(z.object({ status: z.string(), errorMessage: z.string().nullish() })),
});
