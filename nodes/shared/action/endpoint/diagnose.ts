import type { IDataObject, INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

import { eventsToRegister } from '../../events';
import { isJsonObject } from '../../jsonObject';
import { sourceOf } from '../../product';
import type { ActionCall, Operation, ProviderFamily } from '../../provider';
import { reachText } from '../../registration/reach';
import { publishedTriggers, type PublishedTrigger } from '../../state/publishedTriggers';
import { sameUrl } from '../../url';
import { readParameter, readText } from '../parameter';
import { RESOURCES } from '../resources';
import { asOutput, toData } from './call';
import { reachFields, WEBHOOK_URL_FIELD } from './fields';
import { findOut, type Findings } from './findings';
import { verdictOn } from './verdict';

const BY: INodeProperties = {
	displayName: 'Find By',
	name: 'by',
	type: 'options',
	options: [
		{ name: 'Webhook URL', value: 'url', description: 'The address that deliveries are sent to' },
		{
			name: 'Workflow',
			value: 'workflow',
			description: 'The published workflow that the trigger is in',
		},
	],
	default: 'workflow',
	description: 'Which trigger to look at',
};

const WORKFLOW: INodeProperties = {
	displayName: 'Workflow',
	name: 'workflow',
	type: 'workflowSelector',
	default: '',
	description: 'The workflow with the trigger. Leave empty for this workflow.',
	displayOptions: { show: { by: ['workflow'] } },
};

const SEND_TEST: INodeProperties = {
	displayName: 'Send Test',
	name: 'sendTest',
	type: 'boolean',
	default: true,
	description:
		'Whether to have the provider send a test delivery, and see whether it arrives. It starts no workflow.',
};

/** Says why no events arrive, or that they do. Changes nothing. */
export const diagnose: Operation = {
	resource: RESOURCES.endpoint,
	value: 'diagnose',
	name: 'Diagnose',
	action: 'Diagnose why no events arrive',
	description:
		'Find out whether events reach a trigger, and what to do if not: checks the endpoint, its last deliveries, the webhook URL and the trigger',
	offered: () => 'documented',
	properties: (provider) => [
		BY,
		WORKFLOW,
		{ ...WEBHOOK_URL_FIELD, required: true, displayOptions: { show: { by: ['url'] } } },
		...(provider.api?.operations.test === undefined ? [] : [SEND_TEST]),
		...reachFields(provider),
	],
	output: diagnosisOutput,
	run: async (call) => {
		const { context, itemIndex } = call;
		const sendsTest = context.getNodeParameter('sendTest', itemIndex, true) === true;
		if (readParameter(call, 'by', z.enum(['workflow', 'url']), 'workflow') === 'url') {
			const url = readText(call, 'url');
			const trigger = triggersOf(call).find(
				(one) => one.url !== undefined && sameUrl(one.url, url),
			);
			return [{ json: await diagnosisOf(call, url, trigger, sendsTest) }];
		}
		const workflowId = chosenWorkflow(call);
		const found = triggersOf(call).filter(({ owner }) => owner.workflowId === workflowId);
		if (found.length === 0) return [{ json: notPublished(call, workflowId) }];
		const items = [];
		for (const trigger of found) {
			items.push({ json: await diagnosisOf(call, trigger.url ?? '', trigger, sendsTest) });
		}
		return items;
	},
};

/** The fields of an item; null where nothing is known. */
function diagnosisOutput(family: ProviderFamily): z.ZodObject {
	const facts = z.looseObject({}).nullable().optional();
	return z.object({
		provider: z.string(),
		...(family[0].product === undefined ? {} : { product: z.string() }),
		finding: z.string(),
		inOrder: z.boolean().nullable(),
		verdict: z.string(),
		workflowId: z.string().optional(),
		url: z.string().optional(),
		trigger: facts,
		endpoint: facts,
		attempts: z.array(z.looseObject({})).nullable().optional(),
		reach: facts,
		deliveries: facts,
		test: facts,
	});
}

/** The published triggers of the chosen product. */
function triggersOf({ provider }: ActionCall): PublishedTrigger[] {
	return publishedTriggers().filter((trigger) => trigger.provider === provider);
}

function chosenWorkflow({ context, itemIndex }: ActionCall): string {
	const given: unknown = context.getNodeParameter('workflow', itemIndex, '');
	// n8n extracts the value of a resource locator, but not of a workflow selector.
	const value = isJsonObject(given) ? given['value'] : given;
	const id = typeof value === 'string' ? value.trim() : '';
	return id === '' ? (context.getWorkflow().id ?? '') : id;
}

function notPublished({ provider }: ActionCall, workflowId: string): IDataObject {
	const { displayName } = provider;
	const others = publishedTriggers()
		.filter(({ owner }) => owner.workflowId === workflowId)
		.map((trigger) => trigger.provider.displayName);
	const has = others.length === 0 ? '' : ` It does have a trigger for ${others.join(', ')}.`;
	return {
		...sourceOf(provider),
		finding: 'triggerMissing',
		inOrder: false,
		verdict: `Workflow ${workflowId} has no published trigger of ${displayName} in this process of n8n.${has} Publish it. A worker of queue mode knows no triggers: there, find by Webhook URL.`,
		workflowId,
	};
}

async function diagnosisOf(
	call: ActionCall,
	url: string,
	trigger: PublishedTrigger | undefined,
	sendsTest: boolean,
): Promise<IDataObject> {
	const { provider, credential } = call;
	const findings = await findOut(call, url, trigger, sendsTest);
	const { endpoint, attempts, reach, counts, test } = findings;
	return {
		...sourceOf(provider),
		...verdictOn({ ...findings, provider, credential }),
		url,
		trigger: trigger === undefined ? null : wishesOf(trigger),
		endpoint: typeof endpoint === 'object' ? asOutput(endpoint) : null,
		attempts: attempts?.map(toData) ?? null,
		reach: reach === undefined ? null : { ...reach, text: reachText(reach, url) },
		deliveries: counts ?? null,
		test: test === undefined ? null : testOutput(test),
	};
}

function wishesOf({ owner, workflow, node, provider, settings }: PublishedTrigger): IDataObject {
	const { events, registration, ...options } = settings;
	return {
		workflowId: owner.workflowId,
		workflow,
		node,
		registration,
		events: eventsToRegister(provider, events),
		options: toData(options),
	};
}

function testOutput(test: NonNullable<Findings['test']>): IDataObject {
	if ('failure' in test) return { verified: false, failure: test.failure };
	const { verifiedAfterMs } = test;
	return verifiedAfterMs === undefined
		? { verified: false }
		: { verified: true, afterSeconds: verifiedAfterMs / 1000 };
}
